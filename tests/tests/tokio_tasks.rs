//! A service on tokio, axum with hyper's client, no symbols: which request a call belongs to, only the
//! task says that waits for it.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use tests::export::{self, Span};
use tests::process::Process;
use tests::span::Side;
use tests::traced::ToFile;
use tests::{http, poll, ports, prepare};

const START: Duration = Duration::from_secs(60);
/// How long it may take until ways to who waits have been found, by calls that are made meanwhile.
const LIMIT: Duration = Duration::from_secs(120);
/// Requests at a time.
const CONCURRENCY: usize = 8;
/// Of each round, by each of these.
const REQUESTS: usize = 3;
/// Calls of each request.
const CALLS: usize = 2;

/// How a handler waits for its two calls: one after the other; both itself; in tasks within tasks; in a
/// `JoinSet`; in a `FuturesUnordered`.
const MODES: [&str; 5] = ["sequential", "parallel", "nested", "set", "unordered"];

fn start(name: &str, flavour: &str, calls: u16) -> Result<(Process, u16)> {
    let port = ports::free()?;
    let mut command = Command::new(prepare::tokio_service()?);
    command.env("PORT", port.to_string()).env("CALLS", format!("127.0.0.1:{calls}"));
    let mut process = Process::start(name, command.env("FLAVOUR", flavour))?;
    process.wait_for_port(port, START)?;
    Ok((process, port))
}

/// Has the service asked in each way until a whole round of calls has the right parents, by who waits
/// for them.
fn assert_found(flavour: &str) -> Result<()> {
    let name = format!("tokio-{flavour}");
    let (behind, back) = start(&format!("{name}-back"), flavour, 0)?;
    let (before, front) = start(&format!("{name}-front"), flavour, back)?;
    let pids = [&before, &behind].map(|process| process.pid().to_string());
    let [one, other] = pids.each_ref().map(|pid| ["--pid", pid.as_str()]);
    let tracer = ToFile::start(&name, &[one, other].concat())?;
    for mode in MODES {
        let end = Instant::now() + LIMIT;
        for round in 0.. {
            let of = format!("{mode}-{round}");
            thread::scope(|scope| {
                let of = &of;
                let ask = |by| move || ask(&format!("http://127.0.0.1:{front}/{mode}/{of}-{by}"));
                let asking: Vec<_> = (0..CONCURRENCY).map(|by| scope.spawn(ask(by))).collect();
                asking
                    .into_iter()
                    .try_for_each(|one| one.join().map_err(|_| anyhow!("panicked"))?)
            })?;
            let prefix = format!("/leaf/{of}-");
            let found =
                poll::until(&of, START, || by_context(&export::read(&tracer.file)?, &prefix))?;
            if found == CONCURRENCY * REQUESTS * CALLS {
                break;
            }
            ensure!(Instant::now() < end, "{mode}: {found} calls of the last round by context");
        }
    }
    let seen = tracer.stop()?;
    by_context(&seen.spans, "/leaf/").map(drop)
}

fn ask(url: &str) -> Result<()> {
    (0..REQUESTS).try_for_each(|n| http::touch(&format!("{url}-{n}")))
}

fn path(span: &Span) -> Result<&str> {
    let url = span.get("url.path").or_else(|| span.get("url.full")).context("no URL")?;
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).context("no path")
}

/// How many calls with paths that begin so have their parent by context. Fails if one has a wrong one
/// thereby, or if there are not all calls of a round yet.
fn by_context(spans: &[Span], prefix: &str) -> Result<usize> {
    let client = |span: &&Span| span.side == Side::Client;
    let calls = spans.iter().filter(client).map(|span| Ok((path(span)?, span)));
    let calls: Vec<_> = calls.collect::<Result<_>>()?;
    let calls: Vec<_> = calls.iter().filter(|(path, _)| path.starts_with(prefix)).collect();
    ensure!(calls.len() >= CONCURRENCY * REQUESTS * CALLS, "{} calls", calls.len());
    let mut found = 0;
    for (leaf, call) in calls {
        if call.get("tracer.parent.method") != Some("context") {
            continue;
        }
        found += 1;
        let asked = spans.iter().find(|span| span.id == call.parent).context("no such parent")?;
        let of = path(asked)?.rsplit('/').next().unwrap_or_default();
        let own = leaf.strip_prefix("/leaf/").and_then(|leaf| leaf.rsplit_once('.'));
        ensure!(own.is_some_and(|(own, _)| own == of), "{leaf} is under {of}");
    }
    Ok(found)
}

#[test]
fn tasks_on_many_threads() -> Result<()> {
    assert_found("multi_thread")
}

/// On a host that starts processes all the time: the tracer hears of each of them.
#[test]
fn tasks_on_one_thread() -> Result<()> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let starting = scope.spawn(|| -> Result<()> {
            while !over.load(Ordering::Relaxed) {
                ensure!(Command::new("true").status()?.success(), "true(1) failed");
            }
            Ok(())
        });
        let found = assert_found("current_thread");
        over.store(true, Ordering::Relaxed);
        starting.join().map_err(|_| anyhow!("panicked"))??;
        found
    })
}
