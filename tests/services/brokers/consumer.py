"""Takes messages on threads of its own while it answers how many it has taken."""

import os
import threading
from collections import Counter

import confluent_kafka
import kafka
import pika
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient, NewTopic
from flask import Flask

app = Flask(__name__)
KAFKA = "127.0.0.1:" + os.environ["KAFKA_PORT"]
KAFKAS = ["kafkapython", "librdkafka", "franz"]
taken = Counter()


def by_kafka_python(mode):
    consumer = kafka.KafkaConsumer(
        f"t_{mode}_0",
        bootstrap_servers=KAFKA,
        client_id=mode,
        group_id=f"{mode}-{os.getpid()}",
        auto_offset_reset="earliest",
    )
    for _ in consumer:
        taken[mode] += 1


def by_librdkafka(mode):
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": KAFKA,
            "client.id": mode,
            "group.id": f"{mode}-{os.getpid()}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([f"t_{mode}_0"])
    while True:
        message = consumer.poll(1)
        if message and not message.error():
            taken[mode] += 1


def by_pika(name):
    port = int(os.environ["RABBITMQ_PORT"])
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=4)

    def take(channel, method, properties, body):
        taken[name] += 1
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(name, take)
    channel.start_consuming()


def declare():
    port = int(os.environ["RABBITMQ_PORT"])
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    channel = connection.channel()
    channel.exchange_declare("orders", "topic")
    for name in ["orders", "jobs"]:
        channel.queue_declare(name)
    channel.queue_bind("orders", "orders", "#")
    connection.close()
    topics = [f"t_{mode}_{n}" for mode in KAFKAS for n in range(8)]
    admin = AdminClient({"bootstrap.servers": KAFKA})
    for created in admin.create_topics([NewTopic(topic, 1) for topic in topics]).values():
        error = created.exception()
        if error and error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise error


@app.get("/topics")
def topics():
    """As a check of health asks: how they are called, and their numbers."""
    return str(len(AdminClient({"bootstrap.servers": KAFKA}).list_topics(timeout=30).topics))


@app.get("/taken/<mode>")
def how_many(mode):
    return str(taken[mode])


declare()
for consume in [
    lambda: by_kafka_python("kafkapython"),
    lambda: by_librdkafka("librdkafka"),
    lambda: by_pika("orders"),
    lambda: by_pika("jobs"),
]:
    threading.Thread(target=consume, daemon=True).start()
app.run(port=int(os.environ["PORT"]), threaded=True)
