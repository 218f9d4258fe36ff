//! Proxies that serve many requests at once on one thread, with no header that would tell which call
//! belongs to which, and connections to the server behind that were open before the tracer.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tests::export::Span;
use tests::process::{Process, run};
use tests::span::Side;
use tests::traced::{LIMIT, Seen, ToFile};
use tests::{configured, paths, ports, prepare};

/// Requests, and how many of them at once.
const REQUESTS: usize = 200;
const AT_ONCE: usize = 16;
/// Requests in one write.
const PIPELINED: usize = 8;

/// A proxy before a service that takes its time, each time another one.
struct World {
    _back: Process,
    _proxy: Process,
    port: u16,
}

impl World {
    fn start(server: &str, template: &str) -> Result<World> {
        let source = paths::service_sources().join("crowd.go");
        let (behind, port) = (ports::free()?, ports::free()?);
        let mut command = Command::new(prepare::go_program(&source, "crowd", &[])?);
        command.env("PORT", behind.to_string()).env("CALLS", "").env("WAIT_MS", "20");
        let mut back = Process::start(&format!("proxies-{server}-back"), &mut command)?;
        back.wait_for_port(behind, LIMIT)?;
        let directory = paths::logs().join(format!("proxies-{server}"));
        let template = paths::service_sources().join(template);
        let mut command = configured::command(server, &template, &directory, Some(behind), port)?;
        let mut proxy = Process::start(&format!("proxies-{server}"), &mut command)?;
        proxy.wait_for_port(port, LIMIT)?;
        Ok(World { _back: back, _proxy: proxy, port })
    }

    /// Asks for `/out/NAME-0` and so on.
    fn crowd(&self, name: &str) -> Result<()> {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--no-progress-meter", "--fail", "--noproxy", "*"]);
        curl.args(["--max-time", "60", "--parallel", "--parallel-max", &AT_ONCE.to_string()]);
        curl.arg(format!("http://127.0.0.1:{}/out/{name}-[0-{}]", self.port, REQUESTS - 1));
        run("curl", &mut curl).map(drop)
    }

    /// Asks for `/out/piped-0` and so on in one write.
    fn pipeline(&self) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        let last = |n| if n + 1 == PIPELINED { "Connection: close\r\n" } else { "" };
        let requests = (0..PIPELINED)
            .map(|n| format!("GET /out/piped-{n} HTTP/1.1\r\nHost: proxy\r\n{}\r\n", last(n)));
        stream.write_all(requests.collect::<String>().as_bytes())?;
        let mut answers = String::new();
        stream.read_to_string(&mut answers)?;
        let count = answers.matches("200 OK").count();
        ensure!(count == PIPELINED, "{answers}");
        Ok(())
    }
}

/// What became of the proxy's calls.
#[derive(Debug, Default)]
struct Edges {
    by_context: usize,
    right: usize,
    orphans: usize,
    wrong: usize,
}

/// The calls of `/out/NAME-...`; its requests are all there.
fn edges(seen: &Seen, proxy: &str, name: &str, requests: usize) -> Result<Edges> {
    let path = format!("/out/{name}-");
    let ours = |span: &&Span| {
        span.resource("service.name") == Some(proxy) && span.target().contains(&path)
    };
    let (servers, calls): (Vec<&Span>, Vec<_>) =
        seen.spans.iter().filter(ours).partition(|span| span.side == Side::Server);
    let servers: BTreeMap<String, &Span> =
        servers.into_iter().map(|span| (span.target(), span)).collect();
    ensure!(servers.len() == requests, "{} requests of {name}\n{}", servers.len(), seen.summary);
    ensure!(calls.len() == requests, "{} calls of {name}\n{}", calls.len(), seen.summary);
    let mut edges = Edges::default();
    for call in calls {
        let request = servers.get(&call.target()).context("no such request")?;
        match &call.parent {
            parent if parent.is_empty() => edges.orphans += 1,
            parent if *parent == request.id => edges.right += 1,
            _ => edges.wrong += 1,
        }
        edges.by_context += usize::from(call.get("tracer.parent.method") == Some("context"));
    }
    println!("{proxy}, {name}: {edges:?}");
    Ok(edges)
}

/// nginx says itself for whom it calls: every edge is certain.
#[test]
fn nginx() -> Result<()> {
    let world = World::start("nginx", "nginx.conf")?;
    world.crowd("before")?;
    let tracer = ToFile::start("proxies-nginx", &[])?;
    world.crowd("now")?;
    world.pipeline()?;
    let seen = tracer.stop()?;
    for (name, requests) in [("now", REQUESTS), ("piped", PIPELINED)] {
        let edges = edges(&seen, "nginx", name, requests)?;
        ensure!((edges.right, edges.by_context) == (requests, requests), "{name}: {edges:?}");
    }
    Ok(())
}

/// Envoy does not: what it asks for is what it was asked for. It learns that from the first calls.
#[test]
fn envoy() -> Result<()> {
    let world = World::start("envoy", "files/envoy.yaml")?;
    world.crowd("before")?;
    let tracer = ToFile::start("proxies-envoy", &[])?;
    world.crowd("first")?;
    world.crowd("now")?;
    let seen = tracer.stop()?;
    let edges = edges(&seen, "envoy", "now", REQUESTS)?;
    ensure!((edges.right, edges.wrong) == (REQUESTS, 0), "{edges:?}");
    Ok(())
}

/// Nor does haproxy: what it does in what order tells, nearly always.
#[test]
fn haproxy() -> Result<()> {
    let world = World::start("haproxy", "files/haproxy.conf")?;
    world.crowd("before")?;
    let tracer = ToFile::start("proxies-haproxy", &["--min-confidence", "0"])?;
    world.crowd("now")?;
    let seen = tracer.stop()?;
    let edges = edges(&seen, "haproxy", "now", REQUESTS)?;
    ensure!(edges.right * 10 >= REQUESTS * 9, "{edges:?}");
    Ok(())
}
