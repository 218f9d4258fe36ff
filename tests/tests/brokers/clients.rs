//! The clients that people use.

use anyhow::{Context as _, Result, ensure};
use tests::brokers::{self, Brokers};
use tests::export::Span;
use tests::span::Side;

use crate::asked::{LANES, Pair, REQUESTS, assert_alone, assert_says, requests};

const ALL: usize = LANES * REQUESTS;

pub(crate) fn kafka_from_python(brokers: &Brokers) -> Result<()> {
    let modes = ["kafkapython", "librdkafka"];
    let pair = Pair::start(brokers, "python-kafka", brokers::python("flask_service.py")?)?;
    let (sent, taken) = pair.traced("python-kafka", &modes, &modes.map(|mode| (mode, REQUESTS)))?;
    modes.iter().try_for_each(|mode| assert_sent(&sent, mode))?;
    assert_alone(&taken)?;
    modes.iter().try_for_each(|mode| assert_polled(&taken, mode))
}

pub(crate) fn kafka_from_go(brokers: &Brokers) -> Result<()> {
    let pair = Pair::start(brokers, "go-kafka", brokers::go()?)?;
    let (sent, _) = pair.traced("go-kafka", &["franz"], &[])?;
    assert_sent(&sent, "franz")
}

/// Asserts that each message of a mode has been sent, below the request that did so or below none: all these
/// clients send from threads of their own, and what several requests want to be sent in one request.
fn assert_sent(spans: &[Span], mode: &str) -> Result<()> {
    let requests = requests(spans, mode)?;
    let prefix = format!("t_{mode}_");
    let (mut messages, mut right) = (0, 0);
    for send in spans.iter().filter(|span| span.side == Side::Producer) {
        let topic = send.get("messaging.destination.name").context("a topic")?;
        let Some(lane) = topic.strip_prefix(&prefix) else { continue };
        let lane: usize = lane.parse()?;
        ensure!(send.name == format!("send {topic}"), "{send:#?}");
        assert_says(
            send,
            &[
                ("messaging.system", "kafka"),
                ("messaging.operation.name", "send"),
                ("messaging.operation.type", "send"),
                ("messaging.destination.partition.id", "0"),
                ("server.address", "127.0.0.1"),
            ],
        )?;
        messages += send.number("messaging.batch.message_count").unwrap_or(1) as usize;
        // A topic's requests come one after the other.
        let of = requests.iter().find(|(number, request)| {
            number % LANES == lane && (request.start..=request.end).contains(&send.start)
        });
        let (_, request) = of.with_context(|| format!("no request's: {send:#?}"))?;
        if !send.parent.is_empty() {
            ensure!(send.parent == request.id, "{send:#?} is not below {request:#?}");
            right += 1;
        }
    }
    eprintln!("{mode}: {messages} messages, {right} below their request");
    ensure!(messages == ALL, "{messages} messages of {mode}");
    Ok(())
}

/// Asserts that the topic of a mode that is listened to was asked for.
fn assert_polled(spans: &[Span], mode: &str) -> Result<()> {
    let name = format!("poll t_{mode}_0");
    let poll = spans.iter().find(|span| span.name == name).with_context(|| name.clone())?;
    ensure!(poll.side == Side::Client, "{poll:#?}");
    assert_says(
        poll,
        &[
            ("messaging.system", "kafka"),
            ("messaging.operation.name", "poll"),
            ("messaging.operation.type", "receive"),
        ],
    )
}

pub(crate) fn rabbitmq_from_python(brokers: &Brokers) -> Result<()> {
    let pair = Pair::start(brokers, "python-rabbitmq", brokers::python("flask_service.py")?)?;
    let modes = ["pika", "pikaqueue"];
    let takers = [("orders", ALL), ("jobs", ALL)];
    let (sent, taken) = pair.traced("python-rabbitmq", &modes, &takers)?;
    assert_published(&sent, "pika", |number| format!("orders:t_pika_{number}"))?;
    assert_published(&sent, "pikaqueue", |_| "jobs".to_owned())?;
    assert_alone(&taken)?;
    assert_delivered(&taken, "deliver orders:t_pika_")?;
    assert_delivered(&taken, "deliver jobs")
}

pub(crate) fn rabbitmq_from_go(brokers: &Brokers) -> Result<()> {
    let pair = Pair::start(brokers, "go-rabbitmq", brokers::go()?)?;
    let (sent, taken) = pair.traced("go-rabbitmq", &["amqp091"], &[("orders", ALL)])?;
    assert_published(&sent, "amqp091", |number| format!("orders:t_amqp091_{number}"))?;
    assert_alone(&taken)?;
    assert_delivered(&taken, "deliver orders:t_amqp091_")
}

/// Asserts that below each request of a mode is its message, and no other.
fn assert_published(
    spans: &[Span],
    mode: &str,
    destination: impl Fn(usize) -> String,
) -> Result<()> {
    for (number, request) in requests(spans, mode)? {
        let below: Vec<_> = spans.iter().filter(|span| span.parent == request.id).collect();
        let [published] = *below else { anyhow::bail!("below {request:#?}: {below:#?}") };
        let destination = destination(number);
        let name = format!("publish {destination}");
        ensure!((published.side, &published.name) == (Side::Producer, &name), "{published:#?}");
        let inside = request.start <= published.start && published.start <= request.end;
        ensure!(inside && published.start <= published.end, "{published:#?} of {request:#?}");
        assert_says(
            published,
            &[
                ("messaging.system", "rabbitmq"),
                ("messaging.destination.name", &destination),
                ("server.address", "127.0.0.1"),
            ],
        )?;
    }
    Ok(())
}

/// Asserts that all messages with names that begin so were delivered.
fn assert_delivered(spans: &[Span], name: &str) -> Result<()> {
    let delivered = spans.iter().filter(|span| span.name.starts_with(name));
    let delivered: Vec<_> = delivered.filter(|span| span.side == Side::Consumer).collect();
    ensure!(delivered.len() == ALL, "{} times {name}", delivered.len());
    delivered.iter().try_for_each(|span| assert_says(span, &[("messaging.system", "rabbitmq")]))
}
