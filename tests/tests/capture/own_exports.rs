//! The tracer's exports, and what they cause in a backend on the same host, are no spans.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tests::poll;
use tests::process::{self, Process};
use tests::{paths, ports};

use crate::export::Span;
use crate::run::{LIMIT, ToFile, fresh};
use crate::server::Server;

/// A Zipkin backend that writes down what it gets.
struct Collector {
    _process: Process,
    port: u16,
    file: std::path::PathBuf,
}

impl Collector {
    fn start(name: &str, address: &str) -> Result<Collector> {
        let (port, file) = (ports::free()?, fresh(name)?);
        let mut python = Command::new("python3");
        python.arg("-B").arg(paths::service_sources().join("sockets/collector.py"));
        python.args([address, &port.to_string()]).arg(&file);
        let mut process = Process::start(name, python.env("OTEL_SERVICE_NAME", name))?;
        process.wait_for("its port", LIMIT, |_| {
            std::net::TcpStream::connect((address, port)).map(drop).map_err(Into::into)
        })?;
        Ok(Collector { _process: process, port, file })
    }

    /// Waits until it has this.
    fn has(&self, text: &str) -> Result<()> {
        poll::until(&format!("{text} at the backend"), LIMIT, || {
            let received = fs::read_to_string(&self.file).unwrap_or_default();
            ensure!(received.contains("/api/v2/spans [{"), "no spans: {received}");
            ensure!(received.contains(text), "not in {received}");
            Ok(())
        })
    }
}

/// Both sides of what was asked are there, and no other span of these services or of the tracer.
fn only_asked(spans: &[Span], server: u16, backend: &str) -> Result<()> {
    let port = server.to_string();
    let asked = spans.iter().filter(|span| span.get("server.port") == Some(&port)).count();
    ensure!(asked == 4, "{asked} spans of two requests:\n{}", crate::expect::list(spans));
    for span in spans {
        let service = span.resource("service.name").unwrap_or_default();
        ensure!(service != backend && service != "tracer", "{span:#?}");
        ensure!(!span.target().contains("/api/v2/spans"), "{span:#?}");
    }
    Ok(())
}

/// Asks, waits until that has got to the backend (so that an export was seen by whoever sees
/// exports), asks again, and again waits.
fn drive(server: &Server, backend: &Collector) -> Result<()> {
    for path in ["/first", "/second"] {
        server.ask(path)?;
        backend.has(path)?;
    }
    Ok(())
}

#[test]
fn to_a_backend_on_this_host() -> Result<()> {
    let backend = Collector::start("own-backend", "127.0.0.1")?;
    let server = Server::start("own-server", &[])?;
    let ports = format!("{},{}", server.port, backend.port);
    let zipkin = format!("zipkin=http://127.0.0.1:{}", backend.port);
    let tracer = ToFile::start("own", &["--port", &ports, "--export", &zipkin])?;
    drive(&server, &backend)?;
    only_asked(&tracer.stop()?.spans, server.port, "own-backend")
}

/// The exporter is named by the environment alone; nothing but the backend tells what came.
#[test]
fn to_a_backend_that_the_environment_names() -> Result<()> {
    let backend = Collector::start("own-environment", "127.0.0.1")?;
    let server = Server::start("own-environment-server", &[("OTEL_SERVICE_NAME", "by-env")])?;
    let ports = format!("{},{}", server.port, backend.port);
    let endpoint = format!("http://127.0.0.1:{}/api/v2/spans", backend.port);
    let mut command = Command::new(paths::tracer());
    command
        .args(["--settle", "100ms", "--port", &ports])
        .env("OTEL_TRACES_EXPORTER", "zipkin")
        .env("OTEL_EXPORTER_ZIPKIN_ENDPOINT", &endpoint);
    let tracer = tests::tracer::Tracer::spawn("own-environment-tracer", &mut command)?;
    drive(&server, &backend)?;
    backend.has("\"serviceName\":\"by-env\"")?;
    let ended = tracer.stop()?;
    ensure!(ended.status.success() && ended.summary.contains("zipkin"), "{}", ended.summary);
    // Two requests from both sides, and no more.
    ensure!(ended.summary.contains("exported: 4 spans"), "{}", ended.summary);
    Ok(())
}
/// A network namespace with the backend in it, reached under another address: what the host sends
/// to `TRANSLATED` arrives at the backend's own address.
struct Namespace {
    name: String,
    table: String,
}

const HOST: &str = "10.213.7.1";
const INSIDE: &str = "10.213.7.2";
const TRANSLATED: &str = "10.213.7.77";

fn ip(arguments: &[&str]) -> Result<String> {
    process::run("ip", Command::new("ip").args(arguments))
}

impl Namespace {
    fn create() -> Result<Namespace> {
        let id = std::process::id() % 100_000;
        let made = Namespace { name: format!("tr-{id}"), table: format!("tracer_test_{id}") };
        let (outer, inner) = (format!("tro{id}"), format!("tri{id}"));
        ip(&["netns", "add", &made.name])?;
        ip(&["link", "add", &outer, "type", "veth", "peer", "name", &inner])?;
        ip(&["link", "set", &inner, "netns", &made.name])?;
        ip(&["addr", "add", &format!("{HOST}/24"), "dev", &outer])?;
        ip(&["link", "set", &outer, "up"])?;
        ip(&["-n", &made.name, "addr", "add", &format!("{INSIDE}/24"), "dev", &inner])?;
        ip(&["-n", &made.name, "link", "set", &inner, "up"])?;
        let rules = format!(
            "table ip {} {{ chain output {{ type nat hook output priority -100; \
             ip daddr {TRANSLATED} dnat to {INSIDE}; }}; }}",
            made.table
        );
        process::run("nft", Command::new("nft").arg(rules))?;
        Ok(made)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The veth pair goes with the namespace. What was not made cannot be removed.
        let _ = Command::new("nft").args(["delete", "table", "ip", &self.table]).output();
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

#[test]
fn to_a_backend_behind_address_translation() -> Result<()> {
    let namespace = Namespace::create()?;
    let (port, file) = (ports::free()?, fresh("own-translated")?);
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &namespace.name, "python3", "-B"]);
    command.arg(paths::service_sources().join("sockets/collector.py"));
    command.args([INSIDE, &port.to_string()]).arg(&file).env("OTEL_SERVICE_NAME", "own-translated");
    let mut process = Process::start("own-translated", &mut command)?;
    process.wait_for("its port, by the translated address", LIMIT, |_| {
        std::net::TcpStream::connect((TRANSLATED, port)).map(drop).map_err(Into::into)
    })?;
    let backend = Collector { _process: process, port, file };
    let server = Server::start("own-translated-server", &[])?;
    let ports = format!("{},{}", server.port, backend.port);
    let zipkin = format!("zipkin=http://{TRANSLATED}:{port}");
    let tracer = ToFile::start("own-translated-tracer", &["--port", &ports, "--export", &zipkin])?;
    drive(&server, &backend)?;
    // That others are seen through the translation shows that the backend is not just invisible.
    let url = format!("http://{TRANSLATED}:{port}/api/v2/spans");
    let body = ["--data", "[]", "--header", "User-Agent: asking", &url];
    process::run("curl", Command::new("curl").args(["--silent", "--fail"]).args(body))?;
    let spans = tracer.stop()?.spans;
    let (curls, rest): (Vec<_>, Vec<_>) =
        spans.into_iter().partition(|span| span.target() == "/api/v2/spans");
    ensure!(curls.len() == 2, "not curl's two spans:\n{}", crate::expect::list(&curls));
    let server_side = curls.iter().find(|span| !span.parent.is_empty());
    let agent = server_side.context("its spans are not paired")?.get("user_agent.original");
    ensure!(agent == Some("asking"), "{agent:?}");
    only_asked(&rest, server.port, "own-translated")
}
