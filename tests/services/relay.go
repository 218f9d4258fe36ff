// A Go service that calls other services over net/http's keep-alive pool, knowing nothing of
// tracing. It takes the same settings and answers the same paths as flask_service.py.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	calls := strings.Fields(os.Getenv("CALLS"))
	forward := strings.Fields(os.Getenv("FORWARD"))
	workMs, _ := strconv.Atoi(os.Getenv("WORK_MS"))
	client := &http.Client{
		Timeout:   20 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 32},
	}
	handle := func(w http.ResponseWriter, r *http.Request) {
		status := 200
		for _, call := range calls {
			request, err := http.NewRequestWithContext(r.Context(), "GET", call+r.URL.Path, nil)
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			for _, name := range forward {
				if value := r.Header.Get(name); value != "" {
					request.Header.Set(name, value)
				}
			}
			answer, err := client.Do(request)
			if err != nil {
				http.Error(w, err.Error(), 502)
				return
			}
			// Only a body that was read to its end gives its connection back to the pool.
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			status = max(status, answer.StatusCode)
		}
		if len(calls) == 0 {
			time.Sleep(time.Duration(workMs) * time.Millisecond)
			switch r.URL.Path {
			case "/fail":
				status = 500
			case "/missing":
				status = 404
			}
		}
		w.WriteHeader(status)
		io.WriteString(w, r.URL.Path+"\n")
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(handle)))
}
