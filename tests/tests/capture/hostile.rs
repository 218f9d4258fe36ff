//! Hostile traffic through traced servers while good requests run: these are told right, and the
//! tracer stays small.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests::process::resident;
use tests::services::{Runtime, Service};
use tests::span::Side;

use crate::attack::{LARGE, bulk, crawl, messages, throw};
use crate::export::Span;
use crate::local::ask;
use crate::run::ToFile;

/// By how much the tracer may grow after its first good requests, in KiB. What it may hold: 450
/// heads of up to 16 KiB that never get ready, 16 MiB of receives that wait for their sends, spans
/// that wait, and what the allocator keeps.
const GROWTH: u64 = 48 * 1024;
/// Good requests to each server at least.
const LEAST: usize = 20;

/// A good request: when it was sent and answered, by the machine's own clock.
struct Good {
    path: String,
    took: Duration,
}

fn service<'a>(
    name: &'a str,
    runtime: Runtime,
    calls: &'a [&'a tests::services::Running],
) -> Service<'a> {
    let work = Duration::from_millis(2);
    Service { name, runtime, calls, otel_name: None, forwards: false, work }
}

/// Good requests, one after the other, until the attack is over.
fn good(name: &str, port: u16, over: &AtomicBool) -> Result<Vec<Good>> {
    let mut made = vec![];
    while !over.load(Ordering::Relaxed) || made.len() < LEAST {
        let path = format!("/good-{name}/{}", made.len());
        let start = Instant::now();
        let status = ask(port, &path, "")?;
        ensure!(status == 200, "{path}: {status}");
        made.push(Good { path, took: start.elapsed() });
        // Not as fast as can be: the servers have other guests, too.
        thread::sleep(Duration::from_millis(20));
    }
    Ok(made)
}

fn attack(port: u16) -> Result<()> {
    thread::scope(|scope| {
        let slow = scope.spawn(|| crawl(port));
        messages().iter().try_for_each(|message| throw(port, message))?;
        slow.join().ok().context("the slow thread failed")?
    })
}

#[test]
fn good_requests_are_told_right_beside_hostile_ones() -> Result<()> {
    let python = service("hostile-python", Runtime::Flask("sink.py"), &[]).start()?;
    let go = service("hostile-go", Runtime::Go, &[]).start()?;
    let behind = [&go];
    let nginx = service("hostile-nginx", Runtime::Nginx, &behind).start()?;
    let servers = [("python", python.port), ("go", go.port), ("nginx", nginx.port)];
    let ports = servers.map(|(_, port)| port.to_string()).join(",");
    let tracer = ToFile::start("hostile", &["--port", &ports])?;
    let pid = tracer.tracer.pid();
    for (_, port) in servers {
        ask(port, "/warm", "")?;
    }
    let (before, mut most) = (resident(pid)?, 0);
    let over = AtomicBool::new(false);
    let made: Vec<Good> = thread::scope(|scope| -> Result<Vec<Good>> {
        let over = &over;
        let asking = servers.map(|(name, port)| scope.spawn(move || good(name, port, over)));
        let mut attacks: Vec<_> =
            servers.iter().map(|(_, port)| scope.spawn(|| attack(*port))).collect();
        attacks.push(scope.spawn(|| bulk(python.port)));
        while attacks.iter().any(|attack| !attack.is_finished()) {
            most = most.max(resident(pid)?);
            thread::sleep(Duration::from_millis(20));
        }
        over.store(true, Ordering::Relaxed);
        for attack in attacks {
            attack.join().ok().context("an attack failed")??;
        }
        let made = asking.map(|asking| asking.join().ok().context("asking failed")?);
        Ok(made.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    })?;
    most = most.max(resident(pid)?);
    let seen = tracer.stop()?;
    println!("{} good requests; resident {before} KiB, then up to {most} KiB", made.len());
    println!("{}", seen.summary);
    ensure!(most < before + GROWTH, "it grew from {before} to {most} KiB");
    check(&seen.spans, &made)?;
    for name in ["head_too_long", "too_many_headers", "request_head", "content_length"] {
        ensure!(seen.summary.contains(name), "no {name}: {}", seen.summary);
    }
    Ok(())
}

/// Each good request has its own spans, and its trace has no others.
fn check(spans: &[Span], made: &[Good]) -> Result<()> {
    let mut traces: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in spans {
        traces.entry(&span.trace).or_default().push(span);
    }
    for request in made {
        let ours: Vec<_> = spans.iter().filter(|span| span.target() == request.path).collect();
        let hops = if request.path.contains("nginx") { 2 } else { 1 };
        ensure!(ours.len() == 2 * hops, "{}: {ours:#?}", request.path);
        for span in &ours {
            ensure!(span.get("http.response.status_code") == Some("200"), "{span:#?}");
            ensure!(span.get("tracer.incomplete").is_none(), "{span:#?}");
            let took = u128::from(span.end - span.start);
            ensure!(took <= request.took.as_nanos(), "{:?}: {span:#?}", request.took);
            let strangers = traces.get(&*span.trace).into_iter().flatten();
            let mut strangers = strangers.filter(|other| other.target() != request.path);
            ensure!(strangers.next().is_none(), "a stranger in the trace of {span:#?}");
            if span.side == Side::Server {
                let parent = ours.iter().find(|parent| parent.id == span.parent);
                ensure!(parent.is_some_and(|it| it.side == Side::Client), "{span:#?}");
            }
        }
    }
    let large: Vec<_> = spans.iter().filter(|span| span.target().contains("/large/")).collect();
    ensure!(large.len() == 2, "{large:#?}");
    for span in large {
        let size = LARGE as u64;
        ensure!(span.number("http.request.body.size") == Some(size), "{span:#?}");
        ensure!(span.number("http.response.body.size") == Some(size), "{span:#?}");
    }
    Ok(())
}
