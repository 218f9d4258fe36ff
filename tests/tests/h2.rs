//! HTTP/2 without TLS: gRPC by grpc-go and by Python's grpcio, in every kind of call, over TCP and
//! unix sockets, and plain requests by curl to Go. Every call is seen once from each side, as what it
//! was, also while others send what no client should.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tests::export::Span;
use tests::process::{Process, resident, run};
use tests::span::Side;
use tests::traced::{Seen, ToFile, serve};
use tests::{paths, ports, prepare};

/// How often each kind is called on a connection, and on how many streams at once.
const CALLS: usize = 5;
const AT_ONCE: usize = 8;
/// Messages of a stream.
const MESSAGES: &str = "3";

fn go(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(prepare::go_rpc()?);
    command.args(arguments);
    Ok(command)
}

fn python(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(prepare::rpc_python()?.join("python"));
    command.arg(paths::service_sources().join("rpc/rpc_service.py")).args(arguments);
    Ok(command)
}

/// Which calls one side saw: method, status, messages each way; and how often.
type Calls = BTreeMap<(String, String, String, String), usize>;

fn calls(seen: &Seen, side: Side) -> Calls {
    let mut calls = Calls::new();
    for span in seen.spans.iter().filter(|span| span.side == side) {
        let text = |key| span.get(key).unwrap_or("none").to_owned();
        let messages = (text("tracer.rpc.requests"), text("tracer.rpc.responses"));
        let status = text("rpc.response.status_code");
        *calls.entry((span.name.clone(), status, messages.0, messages.1)).or_default() += 1;
    }
    calls
}

fn expected(count: usize, kinds: &[(&str, &str, &str, &str)]) -> Calls {
    let own = |kind: &(&str, &str, &str, &str)| {
        (kind.0.to_owned(), kind.1.to_owned(), kind.2.to_owned(), kind.3.to_owned())
    };
    kinds.iter().map(|kind| (own(kind), count)).collect()
}

const UNARY: &str = "test.Echo/Unary";
const ECHOED: (&str, &str, &str, &str) = (UNARY, "OK", "1", "1");
const FAILED: (&str, &str, &str, &str) = (UNARY, "NOT_FOUND", "1", "0");
const TIMED_OUT: (&str, &str, &str, &str) = (UNARY, "DEADLINE_EXCEEDED", "1", "0");
const COLLECTED: (&str, &str, &str, &str) = ("test.Echo/Collect", "OK", MESSAGES, "1");
const EXPANDED: (&str, &str, &str, &str) = ("test.Echo/Expand", "OK", "1", MESSAGES);
const CHATTED: (&str, &str, &str, &str) = ("test.Echo/Chat", "OK", MESSAGES, MESSAGES);

/// Each call's two ends are one edge.
fn check_pairs(seen: &Seen) -> Result<()> {
    let clients: BTreeMap<&str, &Span> = seen
        .spans
        .iter()
        .filter(|span| span.side == Side::Client)
        .map(|span| (span.id.as_str(), span))
        .collect();
    for server in seen.spans.iter().filter(|span| span.side == Side::Server) {
        let client = clients.get(server.parent.as_str());
        let client = client.with_context(|| format!("{}: no client", server.name))?;
        ensure!(client.name == server.name && client.trace == server.trace, "{}", server.name);
        ensure!(client.start <= server.start, "{}: late client", server.name);
        ensure!(server.get("network.protocol.version") == Some("2"), "{}", server.name);
        ensure!(server.get("tracer.incomplete").is_none(), "{}", server.name);
    }
    Ok(())
}

/// Nothing was lost, and no secret of the headers is told.
fn check_losses(seen: &Seen) -> Result<()> {
    ensure!(!seen.summary.contains("h2_"), "{}", seen.summary);
    ensure!(!seen.summary.contains("malformed_records"), "{}", seen.summary);
    ensure!(!format!("{:?}", seen.spans).contains("Bearer"), "a secret");
    Ok(())
}

/// Both sides saw these calls, in pairs, and nothing was lost.
fn check_calls(seen: &Seen, want: &Calls) {
    check_losses(seen).unwrap();
    check_pairs(seen).unwrap();
    assert_eq!(calls(seen, Side::Client), *want);
    assert_eq!(calls(seen, Side::Server), *want);
}

#[test]
fn grpc_go_to_grpc_go() {
    let port = ports::free().unwrap().to_string();
    let address = format!("127.0.0.1:{port}");
    let tracer = ToFile::start("h2-go-go", &["--port", &port]).unwrap();
    let _server = serve("h2-go-go", go(&["grpc", &address]).unwrap()).unwrap();
    let arguments = ["call", &address, &CALLS.to_string(), &AT_ONCE.to_string()];
    run("rpc call", &mut go(&arguments).unwrap()).unwrap();
    let seen = tracer.stop().unwrap();
    let kinds = [ECHOED, FAILED, TIMED_OUT, COLLECTED, EXPANDED, CHATTED];
    check_calls(&seen, &expected(CALLS * AT_ONCE, &kinds));
}

#[test]
fn grpcio_to_grpcio() {
    let port = ports::free().unwrap().to_string();
    let address = format!("127.0.0.1:{port}");
    let tracer = ToFile::start("h2-py-py", &["--port", &port]).unwrap();
    let _server = serve("h2-py-py", python(&["serve", &address]).unwrap()).unwrap();
    run("call", &mut python(&["call", &address, &CALLS.to_string()]).unwrap()).unwrap();
    let seen = tracer.stop().unwrap();
    check_calls(&seen, &expected(CALLS, &[ECHOED, FAILED, COLLECTED, EXPANDED, CHATTED]));
}

#[test]
fn grpc_over_a_unix_socket() {
    let directory = paths::logs().join("h2-unix");
    std::fs::create_dir_all(&directory).unwrap();
    let socket = directory.join("socket");
    let _ = std::fs::remove_file(&socket);
    let address = format!("unix:{}", socket.display());
    let tracer = ToFile::start("h2-unix", &[]).unwrap();
    let _server = serve("h2-unix", go(&["grpc", &address]).unwrap()).unwrap();
    run("call", &mut python(&["call", &address, &CALLS.to_string()]).unwrap()).unwrap();
    let mut seen = tracer.stop().unwrap();
    // No port tells these from what else the host does.
    seen.spans.retain(|span| span.get("rpc.system.name").is_some());
    check_calls(&seen, &expected(CALLS, &[ECHOED, FAILED, COLLECTED, EXPANDED, CHATTED]));
}

/// curl, by prior knowledge and by upgrade, with bodies that take many operations.
#[test]
fn plain_requests() {
    let port = ports::free().unwrap().to_string();
    let address = format!("127.0.0.1:{port}");
    let tracer = ToFile::start("h2-curl", &["--port", &port]).unwrap();
    let _server = serve("h2-curl", go(&["web", &address]).unwrap()).unwrap();
    for (flag, size) in [
        ("--http2-prior-knowledge", 10),
        ("--http2-prior-knowledge", 3_000_000),
        ("--http2", 11),
        ("--http2", 500_000),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--no-progress-meter", "--fail", "--noproxy", "*", flag]);
        curl.args(["--output", "/dev/null", &format!("http://{address}/bytes/{size}")]);
        run("curl", &mut curl).unwrap();
    }
    let seen = tracer.stop().unwrap();
    check_losses(&seen).unwrap();
    let mut count = 0;
    for span in &seen.spans {
        let size = span.get("http.response.body.size").unwrap();
        assert!(span.target().ends_with(&format!("/bytes/{size}")), "{span:?}");
        assert_eq!(span.get("http.response.status_code"), Some("200"));
        assert_eq!(span.get("tracer.incomplete"), None);
        count += usize::from(!span.parent.is_empty());
    }
    assert_eq!((seen.spans.len(), count), (8, 4), "{}", seen.summary);
}

/// The tracer comes to a connection on which calls have been made: what it cannot know it does not
/// tell, and all else is right.
#[test]
fn a_connection_from_before() {
    let port = ports::free().unwrap().to_string();
    let address = format!("127.0.0.1:{port}");
    let _server = serve("h2-before", go(&["grpc", &address]).unwrap()).unwrap();
    let mut client = python(&["converse", &address]).unwrap();
    client.stdin(std::process::Stdio::piped());
    let mut client = client.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let (mut tell, hear) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
    let mut hear = std::io::BufRead::lines(std::io::BufReader::new(hear));
    let mut call = || {
        std::io::Write::write_all(&mut tell, b"call\n").unwrap();
        assert_eq!(hear.next().unwrap().unwrap(), "called");
    };
    call();
    let tracer = ToFile::start("h2-before", &["--port", &port]).unwrap();
    (0..CALLS).for_each(|_| call());
    let seen = tracer.stop().unwrap();
    drop(tell);
    client.wait().unwrap();
    for side in [Side::Client, Side::Server] {
        let spans = seen.spans.iter().filter(|span| span.side == side);
        let told: Vec<_> = spans.map(|span| (span.name.as_str(), span.get("rpc.method"))).collect();
        assert_eq!(told.len(), CALLS, "{side:?} {told:?}\n{}", seen.summary);
        for (name, method) in told {
            let unknown = method.is_none() && !name.contains('/');
            assert!(unknown || name == UNARY, "{name}");
        }
    }
}

/// Everything that h2spec knows to get wrong is thrown at a server that others ask meanwhile: all of their
/// requests are seen, and the tracer lives on as before.
#[test]
fn a_server_under_h2spec() {
    /// Memory that may be added, KiB: connections and spans that wait.
    const GROWTH: u64 = 128 * 1024;
    /// Of the good requests' bodies; h2spec asks for others.
    const SIZE: &str = "77";
    let (h2spec, port) = (prepare::h2spec().unwrap(), ports::free().unwrap().to_string());
    let tracer = ToFile::start("h2-spec", &["--port", &port]).unwrap();
    let _server = serve("h2-spec", go(&["web", &format!("127.0.0.1:{port}")]).unwrap()).unwrap();
    let before = resident(tracer.tracer.pid()).unwrap();
    let mut hostile = Command::new(h2spec);
    // Where a server may answer or not, it waits for so many seconds.
    hostile.args(["--port", &port, "--path", "/bytes/10", "--timeout", "2"]);
    let hostile = hostile.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut good = 0;
    let hostile = std::thread::scope(|scope| {
        let hostile = scope.spawn(|| hostile.wait_with_output().unwrap());
        while !hostile.is_finished() || good == 0 {
            let mut curl = Command::new("curl");
            curl.args(["--disable", "--no-progress-meter", "--fail", "--noproxy", "*"]);
            curl.args(["--http2-prior-knowledge", "--output", "/dev/null"]);
            run("curl", curl.arg(format!("http://127.0.0.1:{port}/bytes/{SIZE}"))).unwrap();
            good += 1;
        }
        hostile.join().unwrap()
    });
    // Go's server does not pass all of it.
    let said = String::from_utf8_lossy(&hostile.stdout);
    let tests = said.lines().rev().find_map(|line| line.split_once(" tests, "));
    let count = tests.and_then(|(count, _)| count.trim().parse::<u32>().ok());
    assert!(count.is_some_and(|count| count > 100), "{said}");
    let after = resident(tracer.tracer.pid()).unwrap();
    assert!(after < before + GROWTH, "{before} KiB, then {after} KiB");
    let mut seen = tracer.stop().unwrap();
    seen.spans.retain(|span| span.get("http.response.body.size") == Some(SIZE));
    check_pairs(&seen).unwrap();
    let sides = [Side::Client, Side::Server];
    let counts = sides.map(|side| seen.spans.iter().filter(|span| span.side == side).count());
    assert_eq!(counts, [good; 2], "{}", seen.summary);
}

/// Flask, grpcio and grpcio again, by connections that all threads share.
struct Chain {
    ports: [u16; 3],
    tracer: ToFile,
    _services: [Process; 3],
}

impl Chain {
    fn start(name: &str) -> Chain {
        let ports = [(); 3].map(|()| ports::free().unwrap());
        // Where connections are left out, nobody knows whether only one request is in flight.
        let tracer = ToFile::start(name, &[]).unwrap();
        let [front, middle, last] = ports;
        let address = |port: u16| format!("127.0.0.1:{port}");
        let chain = |place: &str, arguments: &[&str]| {
            let mut command = Command::new(prepare::rpc_python().unwrap().join("python"));
            command.arg(paths::service_sources().join("rpc/chain.py")).args(arguments);
            serve(&format!("{name}-{place}"), command).unwrap()
        };
        let services = [
            chain("last", &["back", &address(last)]),
            chain("middle", &["back", &address(middle), &address(last)]),
            chain("front", &["front", &front.to_string(), &address(middle)]),
        ];
        Chain { ports, tracer, _services: services }
    }

    fn ask(&self, kind: &str, name: &str) {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--no-progress-meter", "--fail", "--noproxy", "*"]);
        curl.args(["--output", "/dev/null"]);
        run("curl", curl.arg(format!("http://127.0.0.1:{}/{kind}/{name}", self.ports[0]))).unwrap();
    }

    /// What of it was seen.
    fn stop(self) -> Seen {
        let mut seen = self.tracer.stop().unwrap();
        let ours = |port: u64| self.ports.iter().any(|ours| u64::from(*ours) == port);
        seen.spans.retain(|span| span.number("server.port").is_some_and(ours));
        seen
    }
}

/// What a request was called on its way.
fn name(span: &Span) -> String {
    match span.name.strip_prefix("test.").and_then(|name| name.split_once('/')) {
        Some((name, _)) => name.to_owned(),
        None => span.target().rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

/// Names of the requests that each trace has, with the number of its spans.
fn traces(seen: &Seen) -> Vec<(BTreeSet<String>, usize)> {
    let mut traces = BTreeMap::<_, (BTreeSet<String>, usize)>::new();
    for span in &seen.spans {
        let (names, spans) = traces.entry(span.trace.as_str()).or_default();
        names.insert(name(span));
        *spans += 1;
    }
    traces.into_values().collect()
}

/// Client and server of curl's request, of the call behind it, and of the last one.
const CHAINED: usize = 6;

#[test]
fn a_chain_one_call_at_a_time() {
    let chain = Chain::start("h2-chain");
    let kinds = ["Unary", "Collect", "Expand", "Chat"];
    for round in 0..CALLS {
        kinds.iter().for_each(|kind| chain.ask(kind, &format!("{kind}{round}")));
    }
    let seen = chain.stop();
    check_pairs_of_calls(&seen);
    let traces = traces(&seen);
    assert_eq!(traces.len(), CALLS * kinds.len(), "{traces:?}");
    for (names, spans) in traces {
        assert_eq!((names.len(), spans), (1, CHAINED), "{names:?}");
    }
}

/// Where many share a connection, nobody may be given another's call.
#[test]
fn a_chain_under_load() {
    const CLIENTS: usize = 32;
    let chain = Chain::start("h2-crowd");
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let chain = &chain;
            scope.spawn(move || {
                for round in 0..CALLS {
                    chain.ask("Unary", &format!("c{client}r{round}"));
                }
            });
        }
    });
    let seen = chain.stop();
    check_pairs_of_calls(&seen);
    assert_eq!(seen.spans.len(), CLIENTS * CALLS * CHAINED, "{}", seen.summary);
    for (names, _) in traces(&seen) {
        assert_eq!(names.len(), 1, "of several requests");
    }
}

/// As [`check_pairs`], of what went by gRPC.
fn check_pairs_of_calls(seen: &Seen) {
    let spans = seen.spans.iter().filter(|span| span.get("rpc.system.name").is_some()).cloned();
    let seen = Seen { spans: spans.collect(), summary: String::new(), notes: String::new() };
    check_pairs(&seen).unwrap();
}
