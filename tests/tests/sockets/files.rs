//! Real servers that send files of 100 MB without a buffer of their own, to a client that takes its
//! time: sizes and durations are true.

use std::fs::{self, File};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::exchanges;
use tests::export::Span;
use tests::process::{self, Process};
use tests::span::Side;
use tests::traced::{LIMIT, Seen, ToFile};
use tests::{configured, paths, ports};

const SIZE: u64 = 100_000_000;
/// What curl asks for; twice a second it looks whether it has got more than that.
const RATE: &str = "40M";
/// What is in the kernel's buffers when the server has sent the last byte, at that rate.
const BUFFERED: Duration = Duration::from_millis(1500);
/// Between curl's clock and the tracer's.
const NEAR: Duration = Duration::from_secs(1);

/// A server with a configuration of `tests/services`, and what it writes in a directory of `test`.
fn start(test: &str, name: &str, upstream: Option<u16>) -> Result<(Process, u16)> {
    let (port, directory) = (ports::free()?, paths::logs().join(format!("sockets-{test}")));
    fs::create_dir_all(&directory)?;
    // Without a byte on the disk.
    File::create(directory.join("large"))?.set_len(SIZE)?;
    let template = paths::service_sources().join("files").join(format!("{name}.conf"));
    let mut command = configured::command(name, &template, &directory, upstream, port)?;
    let mut server = Process::start(&format!("sockets-{test}-{name}"), &mut command)?;
    server.wait_for_port(port, LIMIT)?;
    Ok((server, port))
}

/// Gets these one after the other over one connection, slowly; how long each took.
fn get(port: u16, locations: &[&str]) -> Result<Vec<Duration>> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--limit-rate", RATE, "--write-out", "%{time_total}\\n"]);
    for location in locations {
        curl.arg(format!("http://127.0.0.1:{port}{location}")).args(["--output", "/dev/null"]);
    }
    let times = process::run("curl", &mut curl)?;
    times.lines().map(|time| Ok(Duration::try_from_secs_f64(time.parse()?)?)).collect()
}

/// Size is exact, and the duration is what curl says, less what buffers swallow.
fn long(span: &Span, took: Duration, slack: Duration) -> Result<()> {
    ensure!(span.number("http.response.body.size") == Some(SIZE), "{span:#?}");
    ensure!(span.get("tracer.incomplete").is_none(), "{span:#?}");
    let lasted = Duration::from_nanos(span.end - span.start);
    ensure!(lasted + slack >= took && lasted <= took + NEAR, "not {took:?}: {span:#?}");
    Ok(())
}

/// Both ends of curl's own request.
fn ends<'s>(seen: &'s Seen, path: &str, took: Duration) -> Result<&'s Span> {
    let client = exchanges::one(&seen.spans, Side::Client, path)?;
    let mut servers = seen.spans.iter().filter(|span| span.parent == client.id);
    let server = servers.next().with_context(|| format!("{client:#?} has no server"))?;
    long(client, took, NEAR)?;
    long(server, took, BUFFERED)?;
    Ok(server)
}

#[test]
fn nginx() -> Result<()> {
    let (_server, port) = start("nginx", "nginx", None)?;
    let tracer = ToFile::start("sockets-nginx", &["--port", &port.to_string()])?;
    let locations = ["/sendfile", "/chunked", "/threads", "/written", "/unbuffered"];
    let times = get(port, &locations)?;
    let buffered = get(port, &["/buffered"])?;
    let seen = tracer.stop()?;
    for (path, took) in locations.iter().zip(times).filter(|(path, _)| **path != "/sendfile") {
        let server = ends(&seen, path, took)?;
        // nginx's own request to itself, if it passed this one on.
        for call in seen.spans.iter().filter(|span| span.parent == server.id) {
            long(call, took, BUFFERED)?;
        }
    }
    ends(&seen, "/buffered", buffered.first().copied().context("no time")?)?;
    // Three of the six are answered by /sendfile, two of them on behalf of nginx itself.
    ensure!(seen.spans.len() == 2 * 6 + 2 * 2, "{}", exchanges::list(&seen.spans));
    for span in seen.spans.iter().filter(|span| span.target() == "/sendfile") {
        ensure!(span.number("http.response.body.size") == Some(SIZE), "{span:#?}");
        ensure!(span.get("tracer.incomplete").is_none(), "{span:#?}");
    }
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

/// It splices bodies from one connection to the other. How far it has read, its next operation
/// on the connection says: so there is one more request, for nothing much.
#[test]
fn haproxy() -> Result<()> {
    let (_files, upstream) = start("haproxy", "nginx", None)?;
    let (_proxy, port) = start("haproxy", "haproxy", Some(upstream))?;
    let tracer = ToFile::start("sockets-haproxy", &["--port", &format!("{port},{upstream}")])?;
    let times = get(port, &["/sendfile?n=1", "/sendfile?n=2", "/empty"])?;
    let seen = tracer.stop()?;
    ensure!(seen.spans.len() == 12, "{}", exchanges::list(&seen.spans));
    for (number, took) in (1..=2).zip(times) {
        let target = format!("/sendfile?n={number}");
        let of = seen.spans.iter().filter(|span| span.target() == target);
        let [mut all, mut ends] = [0, 0];
        for span in of {
            all += 1;
            ends += usize::from(span.resource("service.name") == Some("haproxy"));
            long(span, took, BUFFERED)?;
        }
        ensure!((all, ends) == (4, 2), "{}", exchanges::list(&seen.spans));
    }
    for span in &seen.spans {
        ensure!(span.get("tracer.incomplete").is_none(), "{span:#?}");
    }
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}
