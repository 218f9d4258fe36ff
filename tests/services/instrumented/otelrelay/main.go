// A Go service that traces itself with OpenTelemetry's SDK: otelhttp on both sides, spans sent by
// OTLP over HTTP. It takes the same settings as relay.go, and OpenTelemetry's own variables.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	exporter, err := otlptracehttp.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	// Soon, so that whoever waits for the spans need not wait for long.
	batches := trace.WithBatcher(exporter, trace.WithBatchTimeout(100*time.Millisecond))
	otel.SetTracerProvider(trace.NewTracerProvider(batches))
	otel.SetTextMapPropagator(propagation.TraceContext{})

	calls := strings.Fields(os.Getenv("CALLS"))
	client := &http.Client{
		Timeout:   20 * time.Second,
		Transport: otelhttp.NewTransport(&http.Transport{MaxIdleConnsPerHost: 32}),
	}
	handle := func(w http.ResponseWriter, r *http.Request) {
		for _, call := range calls {
			request, err := http.NewRequestWithContext(r.Context(), "GET", call+r.URL.Path, nil)
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			answer, err := client.Do(request)
			if err != nil {
				http.Error(w, err.Error(), 502)
				return
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		io.WriteString(w, r.URL.Path+"\n")
	}
	handler := otelhttp.NewHandler(http.HandlerFunc(handle), "handle")
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), handler))
}
