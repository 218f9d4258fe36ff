//! Asks a service, several times at once, and looks at what that has asked.

use std::thread;

use anyhow::{Result, anyhow, ensure};
use tests::export::Span;
use tests::http;
use tests::span::Side;
use tests::traced::ToFile;

/// Requests at a time.
const CONCURRENCY: usize = 8;
/// By each of these.
const REQUESTS: usize = 6;
/// What no span may hold.
const SECRET: &str = "hunter2";

/// What each request of a mode asks.
pub(crate) struct Mode {
    pub(crate) name: &'static str,
    /// Names of the calls' spans.
    pub(crate) calls: &'static [&'static str],
    /// `db.system.name`.
    pub(crate) system: &'static str,
}

/// Asks in every mode, [`CONCURRENCY`] requests at a time, which have numbers from this one on.
pub(crate) fn ask(port: u16, modes: &[Mode], first: usize) -> Result<()> {
    let ask = |by: usize| {
        move || {
            modes.iter().try_for_each(|mode| {
                (0..REQUESTS).try_for_each(|n| {
                    let number = first + by * REQUESTS + n;
                    http::touch(&format!("http://127.0.0.1:{port}/{}/{number}", mode.name))
                })
            })
        }
    };
    thread::scope(|scope| {
        let asking: Vec<_> = (0..CONCURRENCY).map(|by| scope.spawn(ask(by))).collect();
        asking.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("panicked"))?)
    })
}

/// The spans of a service that is asked so.
pub(crate) fn traced(name: &str, pid: u32, port: u16, modes: &[Mode]) -> Result<Vec<Span>> {
    // What a runtime loads with its first requests is there before the tracer looks. Drivers have
    // statements prepared once, so those that come later have other names.
    ask(port, modes, 10_000)?;
    let tracer = ToFile::start(name, &["--pid", &pid.to_string()])?;
    ask(port, modes, 20_000)?;
    let seen = tracer.stop()?;
    // Of a connection that is older than the tracer, it is not known whose answer comes first.
    let losses = seen.summary.lines().find_map(|line| line.strip_prefix("lost: "));
    let abandoned = losses.and_then(|losses| losses.strip_suffix(" messages_abandoned"));
    let first = |count: &str| {
        count.parse().is_ok_and(|count: usize| count <= modes.len() * 2 * CONCURRENCY)
    };
    ensure!(losses == Some("nothing") || abandoned.is_some_and(first), "{}", seen.summary);
    ensure!(!format!("{:?}", seen.spans).contains(SECRET), "a secret");
    Ok(seen.spans)
}

/// Of calls, those that are below their request, below another one, and below none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    pub(crate) orphans: usize,
}

/// The requests of a mode, by their numbers.
pub(crate) fn numbers<'a>(spans: &'a [Span], mode: &Mode) -> Vec<(&'a str, &'a Span)> {
    let path = format!("/{}/", mode.name);
    let requests = spans.iter().filter(|span| span.side == Side::Server);
    requests.filter_map(|it| Some((it.get("url.path")?.strip_prefix(&path)?, it))).collect()
}

/// Asserts that each request of a mode has asked what it should have, and that this is told as it should
/// be; where it is.
pub(crate) fn placed(spans: &[Span], mode: &Mode) -> Result<Placed> {
    let mut placed = Placed::default();
    let requests = numbers(spans, mode);
    for (number, request) in &requests {
        let token = format!("t_{}_{number}", mode.name);
        let text = |span: &&Span| span.get("db.query.text").is_some_and(|it| it.contains(&token));
        // A driver may have the server prepare a statement before it has it executed.
        let (prepared, mut calls): (Vec<&Span>, Vec<&Span>) =
            spans.iter().filter(text).partition(|span| span.name.starts_with("PREPARE "));
        ensure!(prepared.len() <= 1, "{token}: {prepared:#?}");
        calls.sort_by_key(|call| call.start);
        let names: Vec<&str> = calls.iter().map(|call| &*call.name).collect();
        ensure!(names == mode.calls, "{token}: {names:?} instead of {:?}", mode.calls);
        for call in prepared.into_iter().chain(calls) {
            ensure!(call.side == Side::Client, "{call:#?}");
            ensure!(call.get("db.system.name") == Some(mode.system), "{call:#?}");
            let inside = request.start <= call.start && call.end <= request.end;
            // One of which the answer is not known ends with its request.
            let lasts = call.start < call.end || call.get("tracer.incomplete").is_some();
            ensure!(inside && lasts, "{call:#?}");
            *match &*call.parent {
                "" => &mut placed.orphans,
                parent if parent == request.id => &mut placed.right,
                _ => &mut placed.wrong,
            } += 1;
        }
    }
    let count = requests.len();
    ensure!(count == CONCURRENCY * REQUESTS, "{count} requests of {}", mode.name);
    Ok(placed)
}

/// Asserts that below each request of a mode are its calls and no others.
pub(crate) fn check(spans: &[Span], mode: &Mode) -> Result<()> {
    let found = placed(spans, mode)?;
    ensure!((found.wrong, found.orphans) == (0, 0), "{}: {found:?}", mode.name);
    Ok(())
}
