"""Publishes a message for each request, in each mode by another client. A mode's requests
share a producer of Kafka's, which sends to eight topics; channels of RabbitMQ come from a pool."""

import os
import queue
from contextlib import contextmanager

import confluent_kafka
import kafka
import pika
from flask import Flask

app = Flask(__name__)
KAFKA = "127.0.0.1:" + os.environ["KAFKA_PORT"]
producer = kafka.KafkaProducer(bootstrap_servers=KAFKA, client_id="kafkapython")
librdkafka = confluent_kafka.Producer({"bootstrap.servers": KAFKA, "client.id": "librdkafka"})
idle = {True: queue.SimpleQueue(), False: queue.SimpleQueue()}


@contextmanager
def channel(confirmed):
    """One that no other thread has."""
    try:
        opened = idle[confirmed].get_nowait()
    except queue.Empty:
        port = int(os.environ["RABBITMQ_PORT"])
        parameters = pika.ConnectionParameters("127.0.0.1", port, heartbeat=0)
        opened = pika.BlockingConnection(parameters).channel()
        if confirmed:
            opened.confirm_delivery()
    yield opened
    idle[confirmed].put(opened)


def topic(mode, number):
    return f"t_{mode}_{int(number) % 8}"


@app.get("/kafkapython/<number>")
def by_kafka_python(number):
    sent = producer.send(topic("kafkapython", number), b"hunter2 " + number.encode())
    return str(sent.get(timeout=30).offset)


@app.get("/librdkafka/<number>")
def by_librdkafka(number):
    delivered = queue.SimpleQueue()
    librdkafka.produce(
        topic("librdkafka", number), "hunter2 " + number, on_delivery=lambda *it: delivered.put(it)
    )
    librdkafka.flush()
    error, message = delivered.get(timeout=30)
    return (str(error), 500) if error else str(message.offset())


@app.get("/pika/<number>")
def to_an_exchange(number):
    with channel(confirmed=True) as opened:
        opened.basic_publish("orders", "t_pika_" + number, b"hunter2 " + number.encode())
    return "published"


@app.get("/pikaqueue/<number>")
def to_a_queue(number):
    with channel(confirmed=False) as opened:
        opened.basic_publish("", "jobs", b"hunter2 " + number.encode())
    return "published"


app.run(port=int(os.environ["PORT"]), threaded=True)
