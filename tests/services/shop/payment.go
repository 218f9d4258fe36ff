// The shop's payments; every seventh fails.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"sync/atomic"
)

func main() {
	var payments atomic.Int64
	http.HandleFunc("/payments/", func(w http.ResponseWriter, r *http.Request) {
		if payments.Add(1)%7 == 0 {
			http.Error(w, "the bank does not answer", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "paid")
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
