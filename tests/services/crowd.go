// A service with a crowd of goroutines: GET /in/ID waits, makes two calls /out/ID.0 and /out/ID.1 to
// the base URL in CALLS, one after the other or (/in/ID?par) each in a goroutine of its own, waits
// again and answers. GET /out/... waits and answers. Every wait is a random part of WAIT_MS.
package main

import (
	"io"
	"log"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func wait() {
	most, _ := strconv.Atoi(os.Getenv("WAIT_MS"))
	time.Sleep(time.Duration(rand.Intn(most*1000+1)) * time.Microsecond)
}

func call(id string) {
	wait()
	answer, err := http.Get(os.Getenv("CALLS") + "/out/" + id)
	if err != nil {
		log.Print(err)
		return
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

func main() {
	// As many connections as there are calls at once, and they stay open.
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 100
	http.HandleFunc("/out/", func(w http.ResponseWriter, r *http.Request) {
		wait()
		io.WriteString(w, "out\n")
	})
	http.HandleFunc("/in/", func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.Path, "/in/")
		var calls sync.WaitGroup
		for _, end := range []string{".0", ".1"} {
			if !r.URL.Query().Has("par") {
				call(id + end)
				continue
			}
			calls.Add(1)
			go func(id string) {
				defer calls.Done()
				call(id)
			}(id + end)
		}
		calls.Wait()
		wait()
		io.WriteString(w, "in\n")
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
