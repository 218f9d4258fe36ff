// Program rpc speaks HTTP/2 without TLS: gRPC by grpc-go, and plain requests by net/http.
//
//	rpc grpc ADDRESS                   serves test.Echo (unix:PATH as well)
//	rpc web ADDRESS                    serves GET /bytes/N, by prior knowledge and by upgrade
//	rpc call ADDRESS CALLS PARALLEL    calls each kind of method so often, so many at once
//
// It prints "ready" when it serves. Messages are google.protobuf.StringValue.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type text = wrapperspb.StringValue

const messages = 3

// One request, one response. "fail" is refused, "sleep" outlasts any deadline.
func unary(_ any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	request := new(text)
	if err := read(request); err != nil {
		return nil, err
	}
	switch request.Value {
	case "fail":
		return nil, status.Error(codes.NotFound, "no such thing")
	case "sleep":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return request, nil
}

// Answers every request at once, or after the last one.
func stream(eager bool, answers int) grpc.StreamHandler {
	return func(_ any, stream grpc.ServerStream) error {
		for {
			request := new(text)
			if err := stream.RecvMsg(request); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return err
			}
			if eager {
				if err := stream.SendMsg(request); err != nil {
					return err
				}
			}
		}
		for range answers {
			if err := stream.SendMsg(&text{Value: "answer"}); err != nil {
				return err
			}
		}
		return nil
	}
}

var echo = grpc.ServiceDesc{
	ServiceName: "test.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Collect", Handler: stream(false, 1), ClientStreams: true},
		{StreamName: "Expand", Handler: stream(false, messages), ServerStreams: true},
		{StreamName: "Chat", Handler: stream(true, 0), ClientStreams: true, ServerStreams: true},
	},
}

func listen(address string) net.Listener {
	network := "tcp"
	if path, unix := strings.CutPrefix(address, "unix:"); unix {
		network, address = "unix", path
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	return listener
}

func serveRPC(address string) error {
	server := grpc.NewServer()
	server.RegisterService(&echo, nil)
	return server.Serve(listen(address))
}

func serveWeb(address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bytes/{count}", func(w http.ResponseWriter, r *http.Request) {
		count, _ := strconv.Atoi(r.PathValue("count"))
		_, _ = io.Copy(w, io.LimitReader(zeros{}, int64(count)))
	})
	return http.Serve(listen(address), h2c.NewHandler(mux, &http2.Server{}))
}

type zeros struct{}

func (zeros) Read(to []byte) (int, error) {
	clear(to)
	return len(to), nil
}

func call(connection *grpc.ClientConn) error {
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer secret")
	unary := func(value string, deadline time.Duration, want codes.Code) error {
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		err := connection.Invoke(ctx, "/test.Echo/Unary", &text{Value: value}, new(text))
		if status.Code(err) != want {
			return fmt.Errorf("%q: %w", value, err)
		}
		return nil
	}
	streamed := func(index, requests, responses int) error {
		description := &echo.Streams[index]
		stream, err := connection.NewStream(ctx, description, "/test.Echo/"+description.StreamName)
		if err != nil {
			return err
		}
		for range requests {
			if err := stream.SendMsg(&text{Value: "request"}); err != nil {
				return err
			}
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		for range responses {
			if err := stream.RecvMsg(new(text)); err != nil {
				return err
			}
		}
		if err := stream.RecvMsg(new(text)); description.ServerStreams && !errors.Is(err, io.EOF) {
			return fmt.Errorf("no end: %w", err)
		}
		return nil
	}
	return errors.Join(
		unary("echo", time.Minute, codes.OK),
		unary("fail", time.Minute, codes.NotFound),
		unary("sleep", 500*time.Millisecond, codes.DeadlineExceeded),
		streamed(0, messages, 1),
		streamed(1, 1, messages),
		streamed(2, messages, messages),
	)
}

func callAll(address string, calls, parallel int) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	errs := make(chan error, calls*parallel)
	var all sync.WaitGroup
	for range parallel {
		all.Go(func() {
			for range calls {
				errs <- call(connection)
			}
		})
	}
	all.Wait()
	close(errs)
	var result error
	for err := range errs {
		result = errors.Join(result, err)
	}
	return result
}

func main() {
	var err error
	switch os.Args[1] {
	case "grpc":
		err = serveRPC(os.Args[2])
	case "web":
		err = serveWeb(os.Args[2])
	case "call":
		calls, _ := strconv.Atoi(os.Args[3])
		parallel, _ := strconv.Atoi(os.Args[4])
		err = callAll(os.Args[2], calls, parallel)
	default:
		log.Fatalf("unknown: %s", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
}
