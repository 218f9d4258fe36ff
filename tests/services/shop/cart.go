// The shop's cart: asks whether its item is in stock, then has it paid.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func get(url string) (int, error) {
	answer, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

func main() {
	stock, payment := os.Getenv("STOCK"), os.Getenv("PAYMENT")
	http.HandleFunc("/cart/", func(w http.ResponseWriter, r *http.Request) {
		customer := strings.TrimPrefix(r.URL.Path, "/cart/")
		for _, url := range []string{stock + "/stock/teapot", payment + "/payments/" + customer} {
			if status, err := get(url); err != nil || status != 200 {
				http.Error(w, fmt.Sprintf("%s: %d %v", url, status, err), http.StatusBadGateway)
				return
			}
		}
		fmt.Fprintln(w, `["teapot"]`)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
