//! Encrypted connections whose plaintext is not had: one span for all of each, at both ends.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tests::certificates::Certificates;
use tests::export::Span;
use tests::paths;
use tests::process;
use tests::span::Side;
use tests::traced::ToFile;

use crate::pair::{
    CONCURRENCY, Pair, REQUESTS, SECRET, ask, gunicorn, only, plain_gunicorn, traced, traced_whole,
};
use crate::recorded;

/// The CLIENT spans of connections, each with the SERVER span of the same one below it: there must be
/// just one.
fn connections(spans: &[Span]) -> Result<Vec<(&Span, &Span)>> {
    let of = |side| spans.iter().filter(move |span| span.side == side && span.name == "TLS");
    let mut below = BTreeMap::new();
    for server in of(Side::Server) {
        ensure!(below.insert(&server.parent, server).is_none(), "two ends of {}", server.parent);
    }
    let mut all = vec![];
    for client in of(Side::Client) {
        let server = below.get(&client.id);
        all.push((client, *server.with_context(|| format!("nobody accepted {client:?}"))?));
    }
    ensure!(all.len() == below.len(), "{} opened, {} accepted", all.len(), below.len());
    Ok(all)
}

/// Both ends say the same.
fn assert_alike(client: &Span, server: &Span, name: Option<&str>) -> Result<()> {
    for span in [client, server] {
        ensure!(span.get("tls.client.server_name") == name, "{span:?}");
        ensure!(span.get("tls.protocol.version") == Some("1.3"), "{span:?}");
        ensure!(span.get("tracer.span.covers") == Some("connection"), "{span:?}");
        ensure!(span.get("tracer.incomplete").is_none(), "{span:?}");
        ensure!(span.number("server.port").is_some(), "{span:?}");
    }
    let bytes = |span: &Span, way: &str| {
        let key = format!("tracer.connection.{way}");
        span.number(&key).with_context(|| format!("no {key}: {span:?}"))
    };
    for (from, to) in [(client, server), (server, client)] {
        // Whoever closes need not have read the last of it.
        let (sent, received) = (bytes(from, "sent")?, bytes(to, "received")?);
        ensure!((500..=sent).contains(&received), "{from:?} {to:?}");
    }
    ensure!(client.trace == server.trace && client.start <= server.start, "{client:?} {server:?}");
    Ok(())
}

/// Without uprobes: each connection of curl, and each that Flask opens to ask its neighbour.
#[test]
fn every_connection_is_told_at_both_ends() -> Result<()> {
    let pair = Pair::start("tls-blind", &gunicorn)?;
    let (names, spans) = traced_whole("tls-blind", &pair, &["--no-uprobes"])?;
    ensure!(spans.iter().all(|span| span.name == "TLS"), "{spans:?}");
    let all = connections(&spans)?;
    ensure!(all.len() == CONCURRENCY + names.len(), "{} connections", all.len());
    for (client, server) in all {
        let curl = client.number("server.port") == Some(pair.front.into());
        assert_alike(client, server, curl.then_some("localhost"))?;
        ensure!(client.parent.is_empty(), "a request inside is not known: {client:?}");
    }
    Ok(())
}

/// Each connection that Flask opens hangs under the request that it answers meanwhile.
#[test]
fn connections_hang_under_the_request_that_opened_them() -> Result<()> {
    let front = |port: u16, _: &Certificates| plain_gunicorn(port);
    let pair = Pair::start_plain("tls-under", &front, &gunicorn)?;
    let (names, spans) = traced_whole("tls-under", &pair, &["--no-uprobes"])?;
    let all = connections(&spans)?;
    ensure!(all.len() == names.len(), "{} connections", all.len());
    for (client, server) in &all {
        assert_alike(client, server, None)?;
    }
    for name in &names {
        let asked = only(&spans, Side::Server, &format!("/go/{name}"))?;
        let below: Vec<_> = all.iter().filter(|(client, _)| client.parent == asked.id).collect();
        ensure!(below.len() == 1, "{} connections below {}", below.len(), asked.name);
        ensure!(below.iter().all(|(client, _)| client.trace == asked.trace), "two traces");
    }
    Ok(())
}

fn java(client: &'static str, plain: bool) -> Command {
    let mut java = Command::new("java");
    java.args(["-Xmx256m", "Relay.java"]).env("CLIENT", client);
    if plain {
        java.env("PLAIN", "yes");
    }
    java
}

/// Java's own TLS, by which no probe is asked: a client that opens a connection for a request, on the
/// request's thread.
#[test]
fn java_calls_java() -> Result<()> {
    let front = |_: u16, _: &Certificates| java("blocking", true);
    let back = |_: u16, _: &Certificates| java("blocking", false);
    let pair = Pair::start_plain("tls-java", &front, &back)?;
    let (names, spans) = traced("tls-java", &pair, &[])?;
    let all = connections(&spans)?;
    ensure!(!all.is_empty(), "no connection");
    // Connections are kept, and so go on serving other requests; that of its first one is its parent.
    ensure!(all.len() <= names.len(), "{} connections", all.len());
    for (client, server) in all {
        ensure!(client.trace == server.trace, "{client:?} {server:?}");
        let Some(parent) = spans.iter().find(|span| span.id == client.parent) else {
            // Opened before the tracer came, and used since.
            ensure!(client.get("tracer.incomplete") == Some("bytes_lost"), "{client:?}");
            continue;
        };
        ensure!(parent.side == Side::Server && parent.target().starts_with("/go/"), "{parent:?}");
        ensure!(client.get("tracer.parent.method") == Some("thread"), "{client:?}");
    }
    Ok(())
}

/// A recording has of hellos what is told of them, and no randoms, keys or tickets.
#[test]
fn recordings_keep_no_keys() -> Result<()> {
    let pair = Pair::start("tls-blind-record", &gunicorn)?;
    let file = paths::logs().join("tls-blind.trec");
    let mut command = Command::new(paths::tracer());
    command.arg("record").arg(&file).args(["--force", "--no-uprobes", "--port", &pair.ports()]);
    let tracer = ToFile::spawn("tls-blind-record", &mut command)?;
    let names = ask(&pair)?;
    let live = tracer.stop()?;
    let replayed = tests::traced::fresh("tls-blind-replay")?;
    let mut replay = Command::new(paths::tracer());
    replay.arg("replay").arg(&file).arg("--export").arg(format!("file={}", replayed.display()));
    process::run("tracer replay", replay.env("TRACER_UI", "off"))?;
    let again = tests::export::read(&replayed)?;
    let told = |spans: &[Span]| -> Result<Vec<_>> {
        let all = connections(spans)?.into_iter();
        let mut all: Vec<_> = all
            .map(|(client, server)| (client.id.clone(), format!("{client:?} {server:?}")))
            .collect();
        all.sort();
        Ok(all)
    };
    ensure!(told(&live.spans)? == told(&again)?, "not the same");
    ensure!(live.spans.len() == 2 * (CONCURRENCY + CONCURRENCY * REQUESTS), "{}", names.len());
    let kept = recorded::contents(&file)?;
    ensure!(kept.contains("localhost"), "the recording has no name");
    ensure!(!kept.contains(SECRET), "the recording has the secret");
    ensure!(kept.contains(&"x".repeat(32)), "no random is blanked");
    Ok(())
}
