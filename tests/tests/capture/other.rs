//! What is not HTTP, or does not stay HTTP, or is never answered.

use anyhow::{Result, ensure};
use tests::span::Side;
use tests::{poll, ports, process};
use tracer_common::counter::Counter;

use crate::bpf;
use crate::expect::{self, Exchange};
use crate::run::{LIMIT, ToFile, script, traced};

/// A span ends with the last byte of HTTP, though the connection goes on with bytes that even look
/// like more of it.
fn left(case: &str, exchange: Exchange, target: &str, noted: &str) -> Result<()> {
    let seen = traced(&format!("other-{case}"), "other", "127.0.0.1", &[case])?;
    expect::exactly(&seen.spans, &[exchange])?;
    let over = seen.noted(noted)?;
    for side in [Side::Client, Side::Server] {
        let span = expect::one(&seen.spans, side, target)?;
        // The two clocks differ by microseconds.
        ensure!(span.end < over + 2_000_000, "over at {over}: {span:#?}");
    }
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

#[test]
fn upgraded() -> Result<()> {
    left("upgrade", Exchange::new("GET", "/up", 101), "/up", "upgraded")
}

#[test]
fn unanswered() -> Result<()> {
    let seen = traced("other-unanswered", "other", "127.0.0.1", &["unanswered"])?;
    expect::exactly(&seen.spans, &[Exchange::new("GET", "/unanswered", 0).unanswered()])?;
    for span in &seen.spans {
        ensure!(span.get("error.type") == Some("connection_closed"), "{span:#?}");
    }
    Ok(())
}

#[test]
fn tunnelled() -> Result<()> {
    let seen = traced("other-tunnel", "other", "127.0.0.1", &["tunnel"])?;
    let over = seen.noted("connected")?;
    ensure!(seen.spans.len() == 2, "{}", expect::list(&seen.spans));
    for span in &seen.spans {
        ensure!(span.get("http.request.method") == Some("CONNECT"), "{span:#?}");
        ensure!(span.number("http.response.status_code") == Some(200), "{span:#?}");
        ensure!(span.get("tracer.incomplete").is_none(), "{span:#?}");
        ensure!(span.end < over + 2_000_000, "over at {over}: {span:#?}");
    }
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

/// Each socket costs one look, and what later looks like HTTP costs nothing any more. One that carries
/// TLS is no other: its plaintext may be seen elsewhere.
#[test]
fn not_http() -> Result<()> {
    const CASES: [&str; 3] = ["mail", "binary", "tls"];
    let port = ports::free()?;
    let tracer = ToFile::start("other-not-http", &["--port", &port.to_string()])?;
    process::run("not HTTP", &mut script("other", "127.0.0.1", port, &CASES))?;
    let others = CASES.iter().filter(|&&case| case != "tls").count() as u64;
    // Nobody else's sockets have this port, so the number is exact.
    poll::until("a look at each socket", LIMIT, || {
        let looks = bpf::count(tracer.tracer.pid(), Counter::NotHttp)?;
        ensure!(looks == 2 * others, "{looks} looks");
        Ok(())
    })?;
    let seen = tracer.stop()?;
    // Of TLS there is that it was spoken, and no more.
    let only_tls = seen.spans.iter().all(|span| span.name == "TLS");
    ensure!(only_tls, "{}", expect::list(&seen.spans));
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}
