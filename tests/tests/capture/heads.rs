//! Heads in pieces, and heads that are long.

use anyhow::{Result, ensure};

use crate::expect::{self, Exchange};
use crate::run;

#[test]
fn split_anywhere() -> Result<()> {
    let seen = run::traced("heads-split", "heads", "127.0.0.1", &["split"])?;
    let last = seen.spans.iter().filter_map(|span| span.number("http.response.body.size")).max();
    // The request without its body is that long, wherever it is cut.
    let length =
        "GET /split?at=10 HTTP/1.1\r\nHost: raw.test\r\nX-Some: thing\r\n\r\n".len() as u64;
    ensure!(last == Some(length - 1), "{last:?}, not {length}");
    let cut = |at| Exchange::new("GET", format!("/split?at={at}"), 200).sizes(0, at);
    expect::exactly(&seen.spans, &(1..length).map(cut).collect::<Vec<_>>())?;
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

/// The longest that is read, with what matters in its last bytes: the request's body and trace,
/// and the response's body.
#[test]
fn of_16_kib() -> Result<()> {
    let seen = run::traced("heads-full", "heads", "127.0.0.1", &["full"])?;
    expect::exactly(
        &seen.spans,
        &[
            Exchange::new("PUT", "/full", 207).sizes(3, 9),
            Exchange::new("GET", "/after-full", 200).sizes(0, 1),
        ],
    )?;
    for span in seen.spans.iter().filter(|span| span.target() == "/full") {
        ensure!(span.trace == "463ac35c9f6413ad48485a3953bb6124", "{span:#?}");
    }
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

#[test]
fn longer_than_16_kib() -> Result<()> {
    let seen = run::traced("heads-long", "heads", "127.0.0.1", &["beside"])?;
    let bystander = |span: &&crate::export::Span| {
        let target = span.target();
        target.starts_with("/bystander") || target == "/unanswered"
    };
    let theirs: Vec<_> = seen.spans.iter().filter(bystander).cloned().collect();
    expect::exactly(
        &theirs,
        &[
            Exchange::new("GET", "/bystander", 200).sizes(0, 7),
            Exchange::new("GET", "/bystander-again", 200).sizes(0, 5),
            Exchange::new("GET", "/unanswered", 0).unanswered(),
        ],
    )?;
    // The same connection goes on with its next request.
    let after: Vec<_> =
        seen.spans.iter().filter(|span| span.target() == "/after-too-long").cloned().collect();
    expect::exactly(&after, &[Exchange::new("GET", "/after-too-long", 200).sizes(0, 5)])?;
    ensure!(seen.summary.contains(" head_too_long"), "not counted: {}", seen.summary);
    Ok(())
}
