//! The clients that people use.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use tests::brokers::{self, Brokers};
use tests::export::Span;
use tests::span::Side;

use crate::asked::{LANES, Pair, REQUESTS, assert_alone, assert_says, requests};

const ALL: usize = LANES * REQUESTS;

pub(crate) fn kafka_from_python(brokers: &Brokers) -> Result<()> {
    // Clients call themselves as their modes are called.
    let modes = ["kafkapython", "librdkafka"];
    let pair = Pair::start(brokers, "python-kafka", brokers::python("flask_service.py")?)?;
    let (sent, taken) = pair.traced("python-kafka", &modes, &modes.map(|mode| (mode, REQUESTS)))?;
    assert_alone(&taken)?;
    modes.iter().try_for_each(|mode| {
        assert_sent(&sent, mode)?;
        assert_polled(&sent, &taken, mode)
    })
}

pub(crate) fn kafka_from_go(brokers: &Brokers) -> Result<()> {
    let pair = Pair::start(brokers, "go-kafka", brokers::go()?)?;
    let (sent, _) = pair.traced("go-kafka", &["franz"], &[])?;
    assert_sent(&sent, "franz")
}

/// What a client has sent or asked for.
fn by<'a>(spans: &'a [Span], mode: &str, name: &str) -> Vec<&'a Span> {
    let by = |span: &&Span| {
        span.get("messaging.client.id") == Some(mode) && span.name.split(' ').next() == Some(name)
    };
    spans.iter().filter(by).collect()
}

/// Asserts that each message of a mode has been sent, below a request that may have done so or below
/// none: all these clients send from threads of their own, and what several requests want to be sent in
/// one request.
fn assert_sent(spans: &[Span], mode: &str) -> Result<()> {
    let requests = requests(spans, mode)?;
    let (mut messages, mut below) = (0, 0);
    for send in by(spans, mode, "send") {
        ensure!(send.side == Side::Producer, "{send:#?}");
        assert_says(
            send,
            &[
                ("messaging.system", "kafka"),
                ("messaging.operation.name", "send"),
                ("messaging.operation.type", "send"),
                ("server.address", "127.0.0.1"),
            ],
        )?;
        let topic = send.get("messaging.destination.name");
        let count = send.number("messaging.batch.message_count").unwrap_or(1) as usize;
        // What goes to several topics at once has no name.
        ensure!(topic.is_some() || count > 1, "{send:#?}");
        ensure!(send.name == ["send", topic.unwrap_or("")].join(" ").trim_end(), "{send:#?}");
        let lane = topic.map(|topic| lane(topic, mode)).transpose()?;
        messages += count;
        // A topic's requests come one after the other.
        let may = requests.iter().filter(|(number, request)| {
            lane.is_none_or(|lane| number % LANES == lane)
                && (request.start..=request.end).contains(&send.start)
        });
        let may: Vec<_> = may.map(|(_, request)| *request).collect();
        ensure!(!may.is_empty(), "no request's: {send:#?}");
        if !send.parent.is_empty() {
            ensure!(may.iter().any(|it| it.id == send.parent), "{send:#?} is not below {may:#?}");
            below += 1;
        }
    }
    ensure!(messages == ALL, "{messages} messages of {mode}, {below} below their request");
    Ok(())
}

/// The lane whose topic this is.
fn lane(topic: &str, mode: &str) -> Result<usize> {
    let lane = topic.strip_prefix(&format!("t_{mode}_")).with_context(|| topic.to_owned())?;
    Ok(lane.parse()?)
}

/// Asserts that a client has asked for its topic, and that what came is linked to what was sent.
fn assert_polled(sent: &[Span], taken: &[Span], mode: &str) -> Result<()> {
    let (polls, topic) = (by(taken, mode, "poll"), format!("t_{mode}_0"));
    let asked = polls.iter().any(|poll| poll.get("messaging.destination.name") == Some(&topic));
    ensure!(asked, "no poll of {topic}: {polls:#?}");
    let mut linked = HashSet::new();
    for poll in polls {
        ensure!(poll.side == Side::Client, "{poll:#?}");
        let topic = poll.get("messaging.destination.name");
        ensure!(poll.name == ["poll", topic.unwrap_or("")].join(" ").trim_end(), "{poll:#?}");
        assert_says(
            poll,
            &[
                ("messaging.system", "kafka"),
                ("messaging.operation.name", "poll"),
                ("messaging.operation.type", "receive"),
            ],
        )?;
        for (_, id) in &poll.links {
            let send = by(sent, mode, "send").into_iter().find(|send| send.id == *id);
            let send = send.with_context(|| format!("a link to no send: {poll:#?}"))?;
            ensure!(send.start <= poll.end, "{poll:#?} has come before {send:#?}");
            linked.insert(id.clone());
        }
    }
    // One topic of eight is taken, of which each message is sent when the one before it is; the first
    // may have come by an answer to what was asked before the tracer was there.
    ensure!((REQUESTS - 1..=REQUESTS).contains(&linked.len()), "{} of {mode}", linked.len());
    Ok(())
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
    assert_published_together(&sent, "amqp091", |number| format!("orders:t_amqp091_{number}"))?;
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

/// The same of a client whose requests share a connection: what several of them have it write at the same
/// instant is one span, below the request whose flow wrote it.
fn assert_published_together(
    spans: &[Span],
    mode: &str,
    destination: impl Fn(usize) -> String,
) -> Result<()> {
    let requests = requests(spans, mode)?;
    let (mut messages, mut alone) = (0, 0);
    for published in spans.iter().filter(|span| span.side == Side::Producer) {
        let by = requests.iter().find(|(_, request)| request.id == published.parent);
        let (number, _) = by.with_context(|| format!("below no request: {published:#?}"))?;
        let count = published.number("messaging.batch.message_count").unwrap_or(1) as usize;
        let own = published.get("messaging.destination.name") == Some(&destination(*number));
        ensure!(own || count > 1, "another's: {published:#?}");
        messages += count;
        alone += usize::from(count == 1);
    }
    ensure!(messages == ALL && alone > ALL / 2, "{messages} messages, {alone} of them alone");
    Ok(())
}

/// Asserts that all messages were delivered whose names begin so.
fn assert_delivered(spans: &[Span], name: &str) -> Result<()> {
    let delivered = spans.iter().filter(|span| span.name.starts_with(name));
    let delivered: Vec<_> = delivered.filter(|span| span.side == Side::Consumer).collect();
    ensure!(delivered.len() == ALL, "{} times {name}", delivered.len());
    delivered.iter().try_for_each(|span| assert_says(span, &[("messaging.system", "rabbitmq")]))
}
