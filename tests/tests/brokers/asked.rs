//! Asks a service, several times at once, and waits until what it has sent is taken.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use tests::brokers::{self, Brokers};
use tests::export::Span;
use tests::process::Process;
use tests::span::Side;
use tests::traced::ToFile;
use tests::{http, poll};

/// Requests at a time, each of which sends to a topic of its own.
pub(crate) const LANES: usize = 8;
/// By each of these.
pub(crate) const REQUESTS: usize = 6;
/// What no span may hold.
const SECRET: &str = "hunter2";
const LIMIT: Duration = Duration::from_secs(60);

/// Who takes how many of a mode's messages at a time of asking, as the consumer calls it.
pub(crate) type Taker = (&'static str, usize);

/// A service that sends and one that takes.
pub(crate) struct Pair {
    consumer: (Process, u16),
    producer: (Process, u16),
}

impl Pair {
    pub(crate) fn start(
        brokers: &Brokers,
        name: &str,
        producer: std::process::Command,
    ) -> Result<Self> {
        let consumer =
            brokers.service(&format!("{name}-consumer"), brokers::python("consumer.py")?)?;
        Ok(Self { consumer, producer: brokers.service(&format!("{name}-producer"), producer)? })
    }

    /// The spans of both, when the producer is asked in every mode.
    pub(crate) fn traced(
        &self,
        name: &str,
        modes: &[&str],
        takers: &[Taker],
    ) -> Result<(Vec<Span>, Vec<Span>)> {
        // Connections are made, and metadata is learnt, before the tracer looks.
        self.ask(modes, takers, 10_000)?;
        let [producer, consumer] = [&self.producer, &self.consumer].map(|it| it.0.pid());
        let tracer = ToFile::start(name, &["--pid", &format!("{producer},{consumer}")])?;
        // Clients learn how topics are called every five minutes.
        http::touch(&format!("http://127.0.0.1:{}/topics", self.consumer.1))?;
        self.ask(modes, takers, 20_000)?;
        let seen = tracer.stop()?;
        ensure!(!format!("{:?}", seen.spans).contains(SECRET), "a secret");
        ensure!(seen.summary.contains("lost: "), "{}", seen.summary);
        let of = |pid: u32| {
            let pid = pid.to_string();
            let of = |span: &&Span| span.resource("process.pid") == Some(&pid);
            seen.spans.iter().filter(of).cloned().collect::<Vec<_>>()
        };
        Ok((of(producer), of(consumer)))
    }

    /// Asks in every mode, and returns when all that is taken at all has been.
    fn ask(&self, modes: &[&str], takers: &[Taker], first: usize) -> Result<()> {
        let before =
            takers.iter().map(|(taker, _)| self.taken(taker)).collect::<Result<Vec<_>>>()?;
        let lane = |lane: usize| {
            modes.iter().try_for_each(|mode| {
                (0..REQUESTS).try_for_each(|n| {
                    let number = first + n * LANES + lane;
                    http::touch(&format!("http://127.0.0.1:{}/{mode}/{number}", self.producer.1))
                })
            })
        };
        thread::scope(|scope| {
            let lanes: Vec<_> = (0..LANES).map(|it| scope.spawn(move || lane(it))).collect();
            lanes.into_iter().try_for_each(|it| it.join().map_err(|_| anyhow!("panicked"))?)
        })?;
        for ((taker, count), before) in takers.iter().zip(before) {
            poll::until(&format!("messages of {taker}"), LIMIT, || {
                let taken = self.taken(taker)? - before;
                ensure!(taken >= *count, "{taken} of {count}");
                Ok(())
            })?;
        }
        Ok(())
    }

    /// How many messages have been taken since the start.
    fn taken(&self, taker: &str) -> Result<usize> {
        http::get(&format!("http://127.0.0.1:{}/taken/{taker}", self.consumer.1))
    }
}

/// The requests of a mode, by their numbers.
pub(crate) fn requests<'a>(spans: &'a [Span], mode: &str) -> Result<Vec<(usize, &'a Span)>> {
    let path = format!("/{mode}/");
    let numbered = spans
        .iter()
        .filter(|span| span.side == Side::Server)
        .filter_map(|span| Some((span.get("url.path")?.strip_prefix(&path)?.parse().ok()?, span)));
    let requests: Vec<_> = numbered.collect();
    ensure!(requests.len() == LANES * REQUESTS, "{} requests of {mode}", requests.len());
    Ok(requests)
}

/// Asserts that nothing is below a request but what asks for one how topics are called.
pub(crate) fn assert_alone(spans: &[Span]) -> Result<()> {
    let own = |span: &&Span| {
        span.side != Side::Server && span.get("messaging.client.id") != Some("rdkafka")
    };
    let below = spans.iter().filter(own).find(|span| !span.parent.is_empty());
    below.map_or(Ok(()), |span| Err(anyhow!("not below a request: {span:#?}")))
}

/// Asserts that a span says this.
pub(crate) fn assert_says(span: &Span, said: &[(&str, &str)]) -> Result<()> {
    for (key, value) in said {
        let found = span.get(key).with_context(|| format!("no {key}: {span:#?}"))?;
        ensure!(found == *value, "{key} is not {value}: {span:#?}");
    }
    Ok(())
}
