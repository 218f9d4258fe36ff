//! Go services that call each other over HTTP/2, gRPC and TLS with many requests at once: each call is
//! joined to the request for which it was made, although its connection is shared.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tests::certificates::Certificates;
use tests::export::Span;
use tests::poll::until;
use tests::process::{Process, run};
use tests::span::Side;
use tests::traced::{Seen, ToFile, fresh};
use tests::tracer::Tracer;
use tests::{paths, ports, prepare};

const START: Duration = Duration::from_secs(60);
/// The kernel attaches uprobes one after the other, some in half a second when others come and go.
const ATTACHED: Duration = Duration::from_secs(180);

/// Services in a row, the first of which is asked.
struct Chain {
    url: String,
    certificates: Certificates,
    processes: Vec<Process>,
}

impl Chain {
    /// One service for each scheme. `name` names logs and certificates.
    fn start(name: &str, schemes: &[&str], workers: u32) -> Result<Chain> {
        let certificates = Certificates::new(name)?;
        let binary = prepare::go_mesh()?;
        let (mut processes, mut next) = (vec![], None);
        for (place, scheme) in schemes.iter().enumerate().rev() {
            let port = ports::free()?;
            let mut command = Command::new(&binary);
            command.arg(format!("{scheme}://127.0.0.1:{port}")).args(&next);
            command.env("WAIT_MS", "4").env("WORKERS", workers.to_string());
            command.env("AUTHORITY", &certificates.authority);
            command.env("CERTIFICATE", &certificates.certificate).env("KEY", &certificates.key);
            let mut process = Process::start(&format!("{name}-{place}"), &mut command)?;
            process.wait_for_port(port, START)?;
            processes.push(process);
            next = Some(format!("{scheme}://localhost:{port}"));
        }
        let url = next.context("no services")?;
        Ok(Chain { url, certificates, processes })
    }

    /// Asks for `/test.Mesh/p0` and so on: those with a p make their calls at the same time.
    fn ask(&self, prefix: &str, requests: usize, at_once: usize) -> Result<()> {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--no-progress-meter", "--fail", "--noproxy", "*"]);
        curl.args(["--max-time", "120", "--parallel", "--parallel-max", &at_once.to_string()]);
        curl.arg("--cacert").arg(&self.certificates.authority);
        let url = self.url.replace("https1://", "https://");
        curl.arg(format!("{url}/test.Mesh/{prefix}[0-{}]", requests - 1));
        run("curl", &mut curl).map(drop)
    }

    /// Which of the services a span is of.
    fn place(&self, span: &Span) -> Option<usize> {
        let pid = span.resource("process.pid")?;
        let is_it = |process: &Process| process.pid().to_string() == pid;
        Some(self.processes.len() - 1 - self.processes.iter().position(is_it)?)
    }
}

/// The ID that a span is about, which says who caused it.
fn id(span: &Span) -> Option<String> {
    let target = span.target();
    let path = if target.is_empty() { &span.name } else { &target };
    Some(path.rsplit_once("test.Mesh/")?.1.to_owned())
}

/// What became of calls.
#[derive(Debug, Default)]
struct Edges {
    right: usize,
    orphans: Vec<String>,
    wrong: Vec<String>,
}

/// Every call of a service that answers requests belongs to the one whose ID its own begins with, and what
/// it causes is below it.
fn edges(chain: &Chain, seen: &Seen, requests: usize) -> Result<Edges> {
    let mut of_id: BTreeMap<(usize, bool, String), &Span> = BTreeMap::new();
    for span in &seen.spans {
        if let (Some(place), Some(id)) = (chain.place(span), id(span)) {
            let key = (place, span.side == Side::Client, id);
            ensure!(of_id.insert(key.clone(), span).is_none(), "{key:?} twice");
        }
    }
    let mut edges = Edges::default();
    let mut expected = requests;
    for place in 0..chain.processes.len() {
        let served = of_id.keys().filter(|key| (key.0, key.1) == (place, false)).count();
        ensure!(served == expected, "{served} of {expected} at {place}\n{}", seen.summary);
        expected *= 2;
    }
    for ((place, calls, id), span) in &of_id {
        let above = match (calls, place) {
            (true, place) => {
                let request = id.rsplit_once('.').context("no such call")?.0;
                of_id.get(&(*place, false, request.to_owned()))
            }
            (false, 0) => continue,
            (false, place) => of_id.get(&(place - 1, true, id.clone())),
        };
        let told = || {
            let how = span.get("tracer.parent.method");
            format!("{id} at {place}, {:?}: {how:?}", span.side)
        };
        let above = above.with_context(|| format!("nothing above {}", told()))?;
        if span.parent == above.id {
            ensure!(span.trace == above.trace, "{}: another trace", told());
            edges.right += 1;
        } else if span.parent.is_empty() {
            edges.orphans.push(told());
        } else {
            edges.wrong.push(told());
        }
    }
    Ok(edges)
}

/// Starts the tracer; returns when it has attached all that it will to these services.
fn trace(name: &str, chain: &Chain) -> Result<ToFile> {
    let file = fresh(name)?;
    let mut command = Command::new(paths::tracer());
    command.arg("--export").arg(format!("file={}", file.display())).args(["--settle", "100ms"]);
    // Not those of a test that runs beside this one: each uprobe takes the kernel its time.
    let pids: Vec<_> = chain.processes.iter().map(|process| process.pid().to_string()).collect();
    command.args(["--pid", &pids.join(",")]);
    command.env("RUST_LOG", "tracer_user::live::runtimes=debug");
    let tracer = Tracer::spawn(&format!("tracer-{name}"), &mut command)?;
    until("uprobes", ATTACHED, || {
        let log = tracer.log();
        let known =
            |process: &Process| log.contains(&format!("runtime process={} ", process.pid()));
        ensure!(chain.processes.iter().all(known), "not attached yet:\n{log}");
        Ok(())
    })?;
    Ok(ToFile { tracer, file })
}

/// One call after the other, and both at the same time.
const BOTH: [&str; 2] = ["s", "p"];

/// Traces a chain while it is asked for IDs that begin with these, so many at once; the share of edges that
/// must be right, per hundred.
fn check(
    name: &str,
    schemes: &[&str],
    prefixes: &[&str],
    workers: u32,
    at_once: usize,
    share: usize,
) -> Result<()> {
    let requests = (4 * at_once).max(16);
    let chain = Chain::start(name, schemes, workers)?;
    let tracer = trace(name, &chain)?;
    for prefix in prefixes {
        chain.ask(prefix, requests, at_once)?;
    }
    let seen = tracer.stop()?;
    let edges = edges(&chain, &seen, prefixes.len() * requests)?;
    let all = edges.right + edges.orphans.len() + edges.wrong.len();
    let expected = prefixes.len() * requests * 4 * ((1 << (schemes.len() - 1)) - 1);
    ensure!(all == expected, "{all} of {expected} edges");
    ensure!(edges.wrong.is_empty(), "{:?}", edges.wrong);
    ensure!(100 * edges.right >= share * all, "{} of {all}\n{:?}", edges.right, edges.orphans);
    ensure!(!seen.summary.contains("uprobes_unattached"), "{}", seen.summary);
    Ok(())
}

#[test]
fn grpc_with_one_request_in_flight() -> Result<()> {
    check("mesh-grpc-1", &["http", "grpc", "grpc", "grpc"], &BOTH, 0, 1, 100)
}

#[test]
fn grpc_with_many_requests_in_flight() -> Result<()> {
    check("mesh-grpc-32", &["http", "grpc", "grpc", "grpc"], &BOTH, 0, 32, 99)
}

/// A goroutine of grpc-go that answers one stream after the other.
#[test]
fn grpc_with_workers() -> Result<()> {
    check("mesh-grpc-workers", &["http", "grpc", "grpc"], &BOTH, 40, 16, 99)
}

#[test]
fn http_and_grpc_take_turns() -> Result<()> {
    check("mesh-mixed", &["http", "grpc", "http", "grpc"], &BOTH, 0, 16, 99)
}

#[test]
fn http2_without_tls() -> Result<()> {
    check("mesh-h2c", &["http", "h2c", "h2c"], &["s"], 0, 16, 99)
}

#[test]
fn http1_in_tls() -> Result<()> {
    check("mesh-https1", &["https1", "https1", "https1"], &BOTH, 0, 16, 99)
}

#[test]
fn http2_in_tls() -> Result<()> {
    check("mesh-https", &["https", "https", "https"], &["s"], 0, 16, 99)
}

#[test]
fn grpc_in_tls() -> Result<()> {
    check("mesh-grpcs", &["https", "grpcs", "grpcs"], &BOTH, 0, 16, 99)
}
