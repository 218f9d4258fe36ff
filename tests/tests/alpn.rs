//! HTTP/2 in TLS, as clients and servers agree on it (ALPN), by OpenSSL: the same spans as without TLS.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::certificates::Certificates;
use tests::export::Span;
use tests::process::{Process, run};
use tests::span::Side;
use tests::traced::ToFile;
use tests::{paths, ports, prepare};

const START: Duration = Duration::from_secs(60);
/// Requests, one after the other.
const REQUESTS: usize = 5;

fn sources() -> std::path::PathBuf {
    paths::service_sources().join("alpn")
}

fn node(name: &str, certificates: &Certificates, port: u16, behind: u16) -> Result<Process> {
    let mut command = Command::new("node");
    command.arg(sources().join("service.js")).env("PORT", port.to_string());
    command.env("BEHIND", format!("https://localhost:{behind}"));
    command.env("AUTHORITY", &certificates.authority);
    command.env("CERTIFICATE", &certificates.certificate).env("KEY", &certificates.key);
    let mut process = Process::start(name, &mut command)?;
    process.wait_for_port(port, START)?;
    Ok(process)
}

fn urls(port: u16, path: &str) -> Vec<String> {
    (0..REQUESTS).map(|n| format!("https://localhost:{port}/{path}/{n}")).collect()
}

/// One connection for all.
fn curl(certificates: &Certificates, port: u16) -> Result<()> {
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--silent", "--show-error", "--fail", "--noproxy", "*", "--http2"]);
    curl.args(["--max-time", "60", "--write-out", "%{http_version}\n"]);
    curl.arg("--cacert").arg(&certificates.authority).args(urls(port, "go"));
    let told = run("curl", &mut curl)?;
    ensure!(told.lines().filter(|line| line.ends_with('2')).count() >= REQUESTS, "{told}");
    Ok(())
}

/// The span of one side for a path; there must be one.
fn only<'a>(spans: &'a [Span], side: Side, path: &str) -> Result<&'a Span> {
    let mut found = spans.iter().filter(|span| span.side == side && span.target() == path);
    let first = found.next().with_context(|| format!("no {side:?} span of {path}"))?;
    ensure!(found.next().is_none(), "several {side:?} spans of {path}");
    Ok(first)
}

/// Each request is seen from both sides, by HTTP/2 and TLS, as one edge.
fn check_pairs(spans: &[Span], path: &str) -> Result<()> {
    for n in 0..REQUESTS {
        let path = format!("/{path}/{n}");
        let client = only(spans, Side::Client, &path)?;
        let server = only(spans, Side::Server, &path)?;
        ensure!(server.parent == client.id && server.trace == client.trace, "{path}: no pair");
        for span in [client, server] {
            ensure!(span.get("network.protocol.version") == Some("2"), "{span:?}");
            ensure!(span.number("http.response.status_code") == Some(200), "{span:?}");
            ensure!(span.get("tracer.incomplete").is_none(), "{span:?}");
        }
        ensure!(server.get("url.scheme") == Some("https"), "{server:?}");
    }
    Ok(())
}

#[test]
fn curl_to_node_to_node() -> Result<()> {
    let certificates = Certificates::new("alpn-node")?;
    let (front, back) = (ports::free()?, ports::free()?);
    let _back = node("alpn-node-back", &certificates, back, back)?;
    let _front = node("alpn-node-front", &certificates, front, back)?;
    let tracer = ToFile::start("alpn-node", &["--port", &format!("{front},{back}")])?;
    curl(&certificates, front)?;
    let seen = tracer.stop()?;
    check_pairs(&seen.spans, "go")?;
    check_pairs(&seen.spans, "leaf")
}

#[test]
fn httpx_to_go() -> Result<()> {
    let certificates = Certificates::new("alpn-httpx")?;
    let port = ports::free()?;
    let python = prepare::alpn_python()?.join("python");
    let mut server = Command::new(prepare::go_mesh()?);
    server.arg(format!("https://127.0.0.1:{port}")).env("WAIT_MS", "0");
    server.env("CERTIFICATE", &certificates.certificate).env("KEY", &certificates.key);
    let mut server = Process::start("alpn-go", &mut server)?;
    server.wait_for_port(port, START)?;
    let tracer = ToFile::start("alpn-httpx", &["--port", &port.to_string()])?;
    let mut client = Command::new(python);
    client.arg(sources().join("client.py")).args(urls(port, "go"));
    run("client.py", client.env("AUTHORITY", &certificates.authority))?;
    let seen = tracer.stop()?;
    check_pairs(&seen.spans, "go")
}

#[test]
fn curl_to_nginx_in_front_of_plain_http() -> Result<()> {
    let certificates = Certificates::new("alpn-nginx")?;
    let (front, back) = (ports::free()?, ports::free()?);
    let directory = certificates.directory();
    let text = fs::read_to_string(sources().join("nginx.conf"))?;
    let text = text.replace("DIRECTORY", &directory.display().to_string());
    let text = text.replace("UPSTREAM", &back.to_string()).replace("PORT", &front.to_string());
    let file = directory.join("nginx.conf");
    fs::write(&file, text)?;
    let known = Path::new("/usr/sbin/nginx");
    let mut command = Command::new(if known.exists() { known } else { Path::new("nginx") });
    command.arg("-p").arg(directory).arg("-c").arg(&file);
    let mut process = Process::start("alpn-nginx", &mut command)?;
    process.wait_for_port(front, START)?;
    let tracer = ToFile::start("alpn-nginx", &["--port", &format!("{front},{back}")])?;
    curl(&certificates, front)?;
    let seen = tracer.stop()?;
    check_pairs(&seen.spans, "go")?;
    // Behind it, the same by HTTP/1.
    for n in 0..REQUESTS {
        let call = only(&seen.spans, Side::Client, &format!("/leaf/{n}"))?;
        let answer = only(&seen.spans, Side::Server, &format!("/leaf/{n}"))?;
        ensure!(answer.parent == call.id && answer.get("url.scheme") == Some("http"), "{n}");
    }
    Ok(())
}
