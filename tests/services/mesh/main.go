// Program mesh is one service of several that call each other by whatever a Go service may speak.
//
//	mesh SCHEME://HOST:PORT [SCHEME://HOST:PORT]    serves at the first address and calls the second one
//
// Schemes: http; https (HTTP/2 where both ends agree on it), https1 (never); h2c (HTTP/2 without TLS, by
// prior knowledge); grpc and grpcs. What is asked for /test.Mesh/ID waits, calls /test.Mesh/ID.0 and then,
// or (IDs that begin with p) at the same time in goroutines of their own, /test.Mesh/ID.1, waits again and
// answers. Every wait is a random part of WAIT_MS. The names of files with certificates are in AUTHORITY,
// CERTIFICATE and KEY.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand"
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
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "/test.Mesh/"

// Asks the next service for an ID.
type caller func(ctx context.Context, id string) error

func wait() {
	most, _ := strconv.Atoi(os.Getenv("WAIT_MS"))
	time.Sleep(time.Duration(rand.Intn(most*1000+1)) * time.Microsecond)
}

func answer(ctx context.Context, id string, call caller) error {
	wait()
	if call == nil {
		return nil
	}
	if !strings.HasPrefix(id, "p") {
		err := call(ctx, id+".0")
		wait()
		err = errors.Join(err, call(ctx, id+".1"))
		wait()
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, 2)
	for n := range errs {
		all.Add(1)
		go func() {
			defer all.Done()
			wait()
			errs[n] = call(ctx, fmt.Sprint(id, ".", n))
		}()
	}
	all.Wait()
	wait()
	return errors.Join(errs...)
}

func authority() *tls.Config {
	text, err := os.ReadFile(os.Getenv("AUTHORITY"))
	if err != nil {
		log.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(text)
	return &tls.Config{RootCAs: known}
}

func certificate() *tls.Config {
	own, err := tls.LoadX509KeyPair(os.Getenv("CERTIFICATE"), os.Getenv("KEY"))
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{own}}
}

func callHTTP(transport http.RoundTripper, base string) caller {
	client := http.Client{Transport: transport}
	return func(ctx context.Context, id string) error {
		request, err := http.NewRequestWithContext(ctx, "GET", base+service+id, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
}

func callRPC(address string, secret credentials.TransportCredentials) caller {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(secret))
	if err != nil {
		log.Fatal(err)
	}
	return func(ctx context.Context, id string) error {
		in, out := wrapperspb.String(id), new(wrapperspb.StringValue)
		return connection.Invoke(ctx, service+id, in, out)
	}
}

func next(target string) caller {
	scheme, address, _ := strings.Cut(target, "://")
	// As many connections as there are calls at once, and they stay open.
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	switch scheme {
	case "":
		return nil
	case "http":
		return callHTTP(transport, target)
	case "https":
		transport.TLSClientConfig, transport.ForceAttemptHTTP2 = authority(), true
		return callHTTP(transport, target)
	case "https1":
		transport.TLSClientConfig = authority()
		return callHTTP(transport, "https://"+address)
	case "h2c":
		dial := func(ctx context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return callHTTP(&http2.Transport{AllowHTTP: true, DialTLSContext: dial}, "http://"+address)
	case "grpc":
		return callRPC(address, insecure.NewCredentials())
	case "grpcs":
		return callRPC(address, credentials.NewTLS(authority()))
	}
	log.Fatal("unknown: ", target)
	return nil
}

func serve(own string, call caller) error {
	scheme, address, _ := strings.Cut(own, "://")
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := answer(r.Context(), strings.TrimPrefix(r.URL.Path, service), call); err != nil {
			log.Print(err)
			w.WriteHeader(http.StatusBadGateway)
		}
		fmt.Fprintln(w, "done")
	})
	server := &http.Server{Handler: handler}
	var options []grpc.ServerOption
	switch scheme {
	case "http":
		return server.Serve(listener)
	case "https":
		server.TLSConfig = certificate()
		return server.ServeTLS(listener, "", "")
	case "https1":
		server.TLSConfig = certificate()
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
		return server.ServeTLS(listener, "", "")
	case "h2c":
		server.Handler = h2c.NewHandler(handler, &http2.Server{})
		return server.Serve(listener)
	case "grpcs":
		options = append(options, grpc.Creds(credentials.NewTLS(certificate())))
	case "grpc":
	default:
		log.Fatal("unknown: ", own)
	}
	if workers, _ := strconv.Atoi(os.Getenv("WORKERS")); workers > 0 {
		options = append(options, grpc.NumStreamWorkers(uint32(workers)))
	}
	handle := func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		text := new(wrapperspb.StringValue)
		if err := stream.RecvMsg(text); err != nil {
			return err
		}
		if err := answer(stream.Context(), strings.TrimPrefix(method, service), call); err != nil {
			log.Print(err)
			return err
		}
		return stream.SendMsg(text)
	}
	return grpc.NewServer(append(options, grpc.UnknownServiceHandler(handle))...).Serve(listener)
}

func main() {
	target := ""
	if len(os.Args) > 2 {
		target = os.Args[2]
	}
	log.Fatal(serve(os.Args[1], next(target)))
}
