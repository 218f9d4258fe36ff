//! WebSocket by Python's websockets and Node's ws, and server-sent events by Flask: one span each side
//! that lasts as long as the connection or the stream, with what went each way.

mod recorded;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use tests::certificates::Certificates;
use tests::export::{self, Span};
use tests::process::{Process, run};
use tests::span::Side;
use tests::traced::{ToFile, fresh, serve};
use tests::{paths, ports, prepare};

/// As in `talk.py`.
const SECRET: &str = "hunter2-is-my-password";
/// How long the caller does nothing while it is connected, at least.
const PAUSE: u64 = 300_000_000;
/// Messages of `call`: Python sends one, pieces, large, binary, empty.
const MESSAGES: &str = "5";
/// Bytes of them that are not compressed: only then the same from run to run.
const BYTES: u64 = 22 + 15 + 300_000 + 1000;

fn python(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(prepare::websocket_python()?.join("python"));
    command.arg(paths::service_sources().join("websocket/talk.py")).args(arguments);
    Ok(command)
}

fn node(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new("node");
    command.arg(prepare::websocket_node()?).args(arguments);
    Ok(command)
}

fn now() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?)
}

/// The client's span and the server's below it, and nothing else.
fn pair(spans: &[Span]) -> Result<[&Span; 2]> {
    let of = |side| spans.iter().find(|span| span.side == side).context("a span");
    let (client, server) = (of(Side::Client)?, of(Side::Server)?);
    ensure!(spans.len() == 2, "{spans:#?}");
    ensure!(server.parent == client.id && server.trace == client.trace, "{spans:#?}");
    Ok([client, server])
}

/// What `call` says, seen from both sides, between two times. `pings`: of the client, and pongs of the
/// server.
fn check(spans: &[Span], begin: u64, end: u64) -> Result<()> {
    for span in pair(spans)? {
        for (key, value) in [
            ("http.response.status_code", "101"),
            ("tracer.websocket.client.messages", MESSAGES),
            ("tracer.websocket.server.messages", MESSAGES),
            ("tracer.websocket.client.pings_and_pongs", "1"),
            ("tracer.websocket.server.pings_and_pongs", "1"),
            ("websocket.close.code", "1000"),
        ] {
            ensure!(span.get(key) == Some(value), "{key} is not {value}: {span:#?}");
        }
        let whole = span.get("tracer.incomplete").is_none() && span.get("error.type").is_none();
        ensure!(whole, "{span:#?}");
        ensure!(begin <= span.start && span.end <= end, "{begin} {end}: {span:#?}");
        ensure!(span.end - span.start >= PAUSE, "{span:#?}");
    }
    ensure!(!format!("{spans:?}").contains(SECRET), "a secret");
    Ok(())
}

type Program = fn(&[&str]) -> Result<Command>;

fn talk(name: &str, server: Program, client: Program) -> Result<()> {
    let port = ports::free()?.to_string();
    client(&[])?;
    let _server = serve(&format!("{name}-server"), server(&["serve", &port])?)?;
    let tracer = ToFile::start(name, &["--port", &port])?;
    let begin = now()?;
    run("call", &mut client(&["call", &format!("ws://127.0.0.1:{port}/room/7")])?)?;
    let end = now()?;
    let seen = tracer.stop()?;
    check(&seen.spans, begin, end)?;
    ensure!(!seen.summary.contains("websocket_"), "{}", seen.summary);
    Ok(())
}

#[test]
fn python_to_python() -> Result<()> {
    talk("websocket-python", python, python)
}

#[test]
fn node_to_node() -> Result<()> {
    talk("websocket-node", node, node)
}

#[test]
fn python_to_node() -> Result<()> {
    talk("websocket-mixed", node, python)
}

/// Through TLS.
#[test]
fn python_to_python_by_wss() -> Result<()> {
    let port = ports::free()?.to_string();
    let certificates = Certificates::new("websocket")?;
    let Certificates { authority, certificate, key, .. } = &certificates;
    let text = |path: &Path| path.display().to_string();
    let (certificate, key) = (text(certificate), text(key));
    let _server = serve("websocket-tls", python(&["serve", &port, &certificate, &key])?)?;
    let url = format!("wss://localhost:{port}/room/7");
    let call = ["call", &url, &text(authority)];
    // What a runtime loads with its first connection is there before the tracer looks.
    run("call", &mut python(&call)?)?;
    let tracer = ToFile::start("websocket-tls", &["--port", &port])?;
    let begin = now()?;
    run("call", &mut python(&call)?)?;
    let end = now()?;
    let seen = tracer.stop()?;
    check(&seen.spans, begin, end)
}

/// Neither side says that it closes.
#[test]
fn a_connection_that_is_dropped() -> Result<()> {
    let port = ports::free()?.to_string();
    let _server = serve("websocket-dropped", python(&["serve", &port])?)?;
    let tracer = ToFile::start("websocket-dropped", &["--port", &port])?;
    run("drop", &mut python(&["drop", &format!("ws://127.0.0.1:{port}/")])?)?;
    let seen = tracer.stop()?;
    for span in pair(&seen.spans)? {
        ensure!(span.get("tracer.incomplete") == Some("connection_closed"), "{span:#?}");
        ensure!(span.get("error.type") == Some("connection_closed"), "{span:#?}");
        ensure!(span.get("websocket.close.code").is_none(), "{span:#?}");
        ensure!(span.get("tracer.websocket.server.messages") == Some("1"), "{span:#?}");
    }
    Ok(())
}

/// A recording holds how the talk went, and nothing that was said.
#[test]
fn recordings_keep_no_messages() -> Result<()> {
    let port = ports::free()?.to_string();
    node(&[])?;
    let _server = serve("websocket-record", node(&["serve", &port])?)?;
    let file = paths::logs().join("websocket.trec");
    let mut command = Command::new(paths::tracer());
    command.arg("record").arg(&file).arg("--force").args(["--port", &port]);
    let tracer = ToFile::spawn("websocket-record", &mut command)?;
    let begin = now()?;
    run("call", &mut node(&["call", &format!("ws://127.0.0.1:{port}/room/7")])?)?;
    let end = now()?;
    check(&tracer.stop()?.spans, begin, end)?;
    let replayed = fresh("websocket-replay")?;
    let mut replay = Command::new(paths::tracer());
    replay.arg("replay").arg(&file).arg("--export").arg(format!("file={}", replayed.display()));
    run("tracer replay", replay.env("TRACER_UI", "off"))?;
    check(&export::read(&replayed)?, begin, end)?;
    let kept = recorded::contents(&file)?;
    ensure!(kept.contains("GET /room/7 HTTP/1.1"), "the recording has no handshake");
    ensure!(!kept.contains(SECRET) && !kept.contains("three "), "the recording has a message");
    Ok(())
}

/// Messages that are not compressed: as many bytes as they have.
#[test]
fn bytes_are_those_of_the_messages() -> Result<()> {
    let port = ports::free()?.to_string();
    let _server = serve("websocket-bytes", python(&["serve", &port])?)?;
    let tracer = ToFile::start("websocket-bytes", &["--port", &port])?;
    let url = format!("ws://127.0.0.1:{port}/");
    run("call", python(&["call", &url])?.env("PLAIN", "1"))?;
    let seen = tracer.stop()?;
    for span in pair(&seen.spans)? {
        let bytes =
            ["client", "server"].map(|who| span.number(&format!("tracer.websocket.{who}.bytes")));
        ensure!(bytes == [Some(BYTES); 2], "{span:#?}");
    }
    Ok(())
}

/// A stream of events lasts until its last one, and until its connection closes if nothing else ends it.
#[test]
fn server_sent_events() -> Result<()> {
    let port = ports::free()?;
    let mut server = Command::new(prepare::python()?.join("python"));
    server.arg(paths::service_sources().join("websocket/stream.py"));
    let mut server = Process::start("websocket-events", server.env("PORT", port.to_string()))?;
    server.wait_for_port(port, Duration::from_secs(60))?;
    let tracer = ToFile::start("websocket-events", &["--port", &port.to_string()])?;
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--no-buffer", "--noproxy", "*"]);
    let told = run("curl", curl.arg(format!("http://127.0.0.1:{port}/events/4")))?;
    ensure!(told.matches("event: tick").count() == 4, "{told}");
    let seen = tracer.stop()?;
    for span in pair(&seen.spans)? {
        ensure!(span.end - span.start >= PAUSE, "{span:#?}");
        ensure!(span.get("tracer.incomplete").is_none(), "{span:#?}");
        ensure!(span.number("http.response.body.size") == Some(told.len() as u64), "{span:#?}");
    }
    Ok(())
}
