//! Where messages end on live sockets. The responses' ends are seen in the exchange that follows
//! on the same connection.

use anyhow::{Result, ensure};
use tests::span::Side;

use crate::expect::{self, Exchange};
use crate::run::{Seen, traced};

/// The exchange of these cases, and the one that follows each.
fn followed(name: &str, cases: &[(&str, Exchange)]) -> Result<Seen> {
    let names: Vec<&str> = cases.iter().map(|(case, _)| *case).collect();
    let seen = traced(name, "framing", "127.0.0.1", &names)?;
    let next = Exchange::new("GET", "/next", 200).sizes(0, 4).times(cases.len());
    let mut wanted: Vec<_> = cases.iter().map(|(_, exchange)| exchange.clone()).collect();
    wanted.push(next);
    expect::exactly(&seen.spans, &wanted)?;
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(seen)
}

fn alone(name: &str, case: &str, exchanges: &[Exchange]) -> Result<Seen> {
    let seen = traced(name, "framing", "127.0.0.1", &[case])?;
    expect::exactly(&seen.spans, exchanges)?;
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(seen)
}

#[test]
fn chunked_in_small_writes() -> Result<()> {
    let exchange = Exchange::new("GET", "/small-chunks", 200).sizes(0, 4006);
    followed("framing-small-chunks", &[("small_chunks", exchange)]).map(drop)
}

/// Most of it is not copied. Its size is that of the data, or of the data with the chunks' frames.
#[test]
fn chunked_in_large_writes() -> Result<()> {
    let large =
        |path| Exchange::new("GET", path, 200).response_in(1_000_000..=1_000_000 + 11 * 12 + 60);
    let cases = [
        ("large_chunks", large("/large-chunks")),
        ("end_in_large", large("/end-in-large")),
        ("one_large", large("/one-large")),
        ("trailers_in_large", large("/trailers-in-large")),
    ];
    followed("framing-large-chunks", &cases).map(drop)
}

#[test]
fn without_a_body() -> Result<()> {
    let cases = [
        ("head_only", Exchange::new("HEAD", "/head", 200)),
        ("none", Exchange::new("DELETE", "/none", 204)),
        ("unmodified", Exchange::new("GET", "/unmodified", 304)),
    ];
    followed("framing-no-body", &cases).map(drop)
}

#[test]
fn upload_of_10_mb() -> Result<()> {
    let exchange = Exchange::new("PUT", "/upload", 201).sizes(10_000_000, 2);
    followed("framing-upload", &[("upload", exchange)]).map(drop)
}

#[test]
fn until_the_connection_closes() -> Result<()> {
    let exchange = Exchange::new("GET", "/until-close", 200).sizes(0, 500_000);
    alone("framing-close", "until_close", &[exchange]).map(drop)
}

#[test]
fn after_100_continue() -> Result<()> {
    let exchange = Exchange::new("POST", "/continue", 202).sizes(1000, 5);
    alone("framing-continue", "continue", &[exchange]).map(drop)
}

fn pipelined() -> Vec<Exchange> {
    let one = |n| Exchange::new("GET", format!("/pipelined?n={n}"), 220 + n);
    (0..20).map(|n| one(n).sizes(0, n)).collect()
}

#[test]
fn pipelined_in_one_write() -> Result<()> {
    alone("framing-pipeline", "pipeline", &pipelined()).map(drop)
}

#[test]
fn pipelined_and_interleaved() -> Result<()> {
    alone("framing-interleaved", "interleaved", &pipelined()).map(drop)
}

#[test]
fn a_stream_lasts_as_long_as_it_lasts() -> Result<()> {
    let exchange = Exchange::new("GET", "/stream", 200).sizes(0, 15_000);
    let seen = alone("framing-stream", "stream", &[exchange])?;
    // Between the tracer's two clocks.
    const NEAR: u64 = 2_000_000;
    let (asked, over) = (seen.noted("stream-asked")?, seen.noted("stream-over")?);
    for side in [Side::Client, Side::Server] {
        let span = expect::one(&seen.spans, side, "/stream")?;
        ensure!(span.start + NEAR > asked, "asked at {asked}: {span:#?}");
        ensure!(span.end < over + NEAR, "over at {over}: {span:#?}");
        ensure!(span.end - span.start >= 1_500_000_000, "{span:#?}");
    }
    Ok(())
}

/// Trailers that a large read hides are the documented limit of what is copied: the exchange is
/// marked and the loss is counted, and what follows is found.
#[test]
fn trailers_that_are_not_copied() -> Result<()> {
    let seen = traced("framing-trailers", "framing", "127.0.0.1", &["long_trailers"])?;
    let (next, long): (Vec<_>, Vec<_>) =
        seen.spans.iter().cloned().partition(|span| span.target() == "/next");
    expect::exactly(&next, &[Exchange::new("GET", "/next", 200).sizes(0, 4)])?;
    ensure!(long.len() == 2, "{}", expect::list(&seen.spans));
    for span in &long {
        ensure!(span.number("http.response.status_code") == Some(200), "{span:#?}");
        ensure!(span.get("tracer.incomplete") == Some("bytes_lost"), "{span:#?}");
    }
    ensure!(seen.summary.contains(" chunked_end_missed"), "{}", seen.summary);
    Ok(())
}
