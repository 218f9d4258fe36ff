//! Go services with many requests at once, timers, and pools of connections that were open before the
//! tracer: each call is joined to the request of the goroutine that asked for it.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::export::Span;
use tests::process::{Process, run};
use tests::span::Side;
use tests::traced::ToFile;
use tests::{paths, ports, prepare};

const START: Duration = Duration::from_secs(30);
/// Requests, and how many of them at once.
const REQUESTS: usize = 120;
const AT_ONCE: usize = 8;

/// Starts the service, built with these flags of `go build`.
fn service(name: &str, flags: &[&str], calls: &str) -> Result<(Process, String)> {
    let binary = prepare::go_program(&paths::service_sources().join("crowd.go"), name, flags)?;
    let port = ports::free()?;
    let mut command = Command::new(binary);
    command.env("PORT", port.to_string()).env("CALLS", calls).env("WAIT_MS", "4");
    let mut process = Process::start(&format!("service-{name}-{port}"), &mut command)?;
    process.wait_for_port(port, START)?;
    Ok((process, format!("http://127.0.0.1:{port}")))
}

/// Asks for `/in/NAME-0` and so on.
fn ask(url: &str, name: &str, query: &str) -> Result<()> {
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--no-progress-meter", "--fail", "--noproxy", "*", "--max-time", "60"]);
    curl.args(["--parallel", "--parallel-max", &AT_ONCE.to_string()]);
    curl.arg(format!("{url}/in/{name}-[0-{}]{query}", REQUESTS - 1));
    run("curl", &mut curl).map(drop)
}

/// Runs the service in front of another one and checks every edge inside it.
fn check(name: &str, flags: &[&str], query: &str) -> Result<()> {
    let (_back, back) = service(name, flags, "")?;
    let (front_process, front) = service(name, flags, &back)?;
    ask(&front, "before", query)?;
    let tracer = ToFile::start(&format!("goroutines-{name}"), &[])?;
    ask(&front, "now", query)?;
    let seen = tracer.stop()?;
    let front_pid = front_process.pid().to_string();
    let ours = |span: &&Span| span.resource("process.pid") == Some(&front_pid);
    let (requests, calls): (Vec<&Span>, _) =
        seen.spans.iter().filter(ours).partition(|span| span.side == Side::Server);
    let requests: BTreeMap<String, &Span> =
        requests.into_iter().map(|span| (span.target(), span)).collect();
    ensure!(requests.len() == REQUESTS, "{} requests\n{}", requests.len(), seen.summary);
    ensure!(calls.len() == 2 * REQUESTS, "{} calls\n{}", calls.len(), seen.summary);
    let (mut by_context, mut all) = (0, 0);
    for call in calls {
        let target = call.target();
        let id = target.strip_prefix("/out/").and_then(|id| id.rsplit_once('.'));
        let (id, _) = id.with_context(|| target.clone())?;
        let request = requests.get(&format!("/in/{id}{query}")).context("no such request")?;
        let method = call.get("tracer.parent.method");
        ensure!(call.parent == request.id, "{target}: another parent, by {method:?}");
        by_context += usize::from(method == Some("context"));
        all += 1;
    }
    // The very first call may be made before the program has been looked at; alone, it is joined too.
    ensure!(by_context + 1 >= all, "{by_context} of {all} by the context");
    ensure!(!seen.summary.contains("uprobes_unattached"), "{}", seen.summary);
    Ok(())
}

#[test]
fn one_call_after_the_other() {
    check("crowd", &[], "").unwrap();
}

#[test]
fn calls_in_goroutines_of_their_own() {
    check("crowd-par", &[], "?par").unwrap();
}

#[test]
fn a_stripped_program() {
    check("crowd-stripped", &["-ldflags=-s -w"], "?par").unwrap();
}

#[test]
fn a_stripped_position_independent_program() {
    check("crowd-pie", &["-buildmode=pie", "-ldflags=-s -w"], "?par").unwrap();
}
