//! Losses on purpose: a ring buffer that overflows, a table that is full.

use std::fs;
use std::thread;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tests::poll;

use crate::export;
use crate::local::{Local, ask};
use crate::run::{LIMIT, Seen, ToFile};

/// Waits until a span of this path has been exported.
fn exported(tracer: &ToFile, path: &str) -> Result<()> {
    poll::until(&format!("a span of {path}"), LIMIT, || {
        let spans = export::read(&tracer.file)?;
        ensure!(spans.iter().any(|span| span.target() == path), "none of {}", spans.len());
        Ok(())
    })
}

/// Requests that are held, each on a thread of its own.
fn hold(local: &Local, count: usize) -> Result<Vec<thread::JoinHandle<Result<u16>>>> {
    let port = local.port;
    (1..=count)
        .map(|n| {
            let asking = thread::spawn(move || ask(port, &format!("/held{n}"), ""));
            poll::until("a request to be held", LIMIT, || {
                ensure!(local.held() == n, "{} are held", local.held());
                Ok(())
            })?;
            Ok(asking)
        })
        .collect()
}

fn release(local: &Local, held: Vec<thread::JoinHandle<Result<u16>>>) -> Result<()> {
    local.release();
    for asking in held {
        let status = asking.join().ok().context("the asking thread failed")??;
        ensure!(status == 200, "{status}");
    }
    Ok(())
}

/// Whether every thread of a process has been stopped: each does when it gets to it.
fn stands_still(pid: u32) -> Result<()> {
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        ensure!(status.contains("\nState:\tT"), "{status}");
    }
    Ok(())
}

/// The reasons on the spans of a path: of each one.
fn marks<'s>(seen: &'s Seen, path: &str) -> Vec<Option<&'s str>> {
    let spans = seen.spans.iter().filter(|span| span.target() == path);
    spans.map(|span| span.get("tracer.incomplete")).collect()
}

#[test]
fn a_full_ring_marks_what_was_open() -> Result<()> {
    let local = Local::start()?;
    let port = local.port.to_string();
    let tracer = ToFile::start("losses-ring", &["--port", &port, "--ring-size", "64KiB"])?;
    ask(local.port, "/before", "")?;
    exported(&tracer, "/before")?;
    let held = hold(&local, 1)?;
    // It reads nothing for a while, and much more happens than the ring has room for.
    let pid = i32::try_from(tracer.tracer.pid()).ok().and_then(Pid::from_raw);
    let pid = pid.context("the tracer's pid")?;
    kill_process(pid, Signal::STOP)?;
    poll::until("the tracer to stand still", LIMIT, || stands_still(tracer.tracer.pid()))?;
    let filler = format!("X-Filler: {}\r\n", "x".repeat(4000));
    let flood: Result<Vec<u16>> = (0..100).map(|_| ask(local.port, "/flood", &filler)).collect();
    kill_process(pid, Signal::CONT)?;
    flood?;
    exported(&tracer, "/flood")?;
    release(&local, held)?;
    ask(local.port, "/after", "")?;
    let seen = tracer.stop()?;
    ensure!(seen.summary.contains(" ring_full"), "{}", seen.summary);
    ensure!(marks(&seen, "/before") == [None, None], "{:#?}", seen.spans);
    ensure!(marks(&seen, "/held1") == [Some("ring_full"); 2], "{:#?}", seen.spans);
    ensure!(marks(&seen, "/after") == [None, None], "{:#?}", seen.spans);
    let flood = marks(&seen, "/flood");
    let told = flood.iter().filter(|mark| mark.is_some_and(|mark| mark.contains("ring_full")));
    ensure!(told.count() == flood.len() && flood.len() < 200, "{flood:?}");
    Ok(())
}

#[test]
fn a_full_table_marks_what_was_open_in_the_same_process() -> Result<()> {
    let local = Local::start()?;
    let port = local.port.to_string();
    let flags = ["--port", &port, "--max-open-exchanges", "4"];
    let tracer = ToFile::start("losses-table", &flags)?;
    // Both ends of two of them fill the table.
    let held = hold(&local, 5)?;
    release(&local, held)?;
    exported(&tracer, "/held1")?;
    ask(local.port, "/after", "")?;
    let seen = tracer.stop()?;
    ensure!(seen.summary.contains("6 open_exchanges_full"), "{}", seen.summary);
    for path in ["/held1", "/held2"] {
        let mut marks = marks(&seen, path);
        marks.sort();
        ensure!(marks == [None, Some("table_full")], "{path}: {:#?}", seen.spans);
    }
    ensure!(marks(&seen, "/after") == [None, None], "{:#?}", seen.spans);
    ensure!(seen.spans.len() == 6, "{:#?}", seen.spans);
    Ok(())
}
