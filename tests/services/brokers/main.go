// Publishes a message for each request. All share one client of Kafka, which sends to eight topics, and one
// connection to RabbitMQ, on which each has a channel.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	kafka, err := kgo.NewClient(kgo.ClientID("franz"), kgo.SeedBrokers("127.0.0.1:"+os.Getenv("KAFKA_PORT")))
	check(err)
	rabbit, err := amqp.Dial("amqp://guest:guest@127.0.0.1:" + os.Getenv("RABBITMQ_PORT"))
	check(err)
	channels := make(chan *amqp.Channel, 16)

	http.HandleFunc("/franz/", func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/franz/"))
		check(err)
		record := &kgo.Record{Topic: fmt.Sprint("t_franz_", number%8), Value: fmt.Append(nil, "hunter2 ", number)}
		check(kafka.ProduceSync(r.Context(), record).FirstErr())
		fmt.Fprint(w, "sent")
	})
	http.HandleFunc("/amqp091/", func(w http.ResponseWriter, r *http.Request) {
		number := strings.TrimPrefix(r.URL.Path, "/amqp091/")
		var channel *amqp.Channel
		select {
		case channel = <-channels:
		default:
			opened, err := rabbit.Channel()
			check(err)
			check(opened.Confirm(false))
			channel = opened
		}
		message := amqp.Publishing{Body: []byte("hunter2 " + number)}
		published, err := channel.PublishWithDeferredConfirm("orders", "t_amqp091_"+number, false, false, message)
		check(err)
		published.Wait()
		channels <- channel
		fmt.Fprint(w, "published")
	})
	check(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
