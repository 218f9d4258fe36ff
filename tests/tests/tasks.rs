//! Services in which many requests share threads, and calls are made by tasks, futures and threads that
//! a request starts: which request a call belongs to, only the context says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use tests::export::Span;
use tests::process::Process;
use tests::span::Side;
use tests::traced::ToFile;
use tests::{http, paths, ports, prepare};

const START: Duration = Duration::from_secs(60);
/// Requests at a time.
const CONCURRENCY: usize = 8;
/// Of each mode, by each of these.
const REQUESTS: usize = 6;
/// Calls of each request.
const CALLS: usize = 2;

/// The command of a service at a port.
type Service<'a> = &'a dyn Fn(u16) -> Command;

fn start(name: &str, service: Service<'_>, calls: u16) -> Result<(Process, u16)> {
    let port = ports::free()?;
    let sources = paths::service_sources().join("tasks");
    let mut command = service(port);
    command.current_dir(&sources).env("PYTHONPATH", &sources).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("PORT", port.to_string()).env("CALLS", format!("127.0.0.1:{calls}"));
    let mut process = Process::start(name, &mut command)?;
    process.wait_for_port(port, START)?;
    Ok((process, port))
}

/// Has the service asked in each of these ways, several at a time; the spans.
fn traced(name: &str, service: Service<'_>, modes: &[&str], flags: &[&str]) -> Result<Vec<Span>> {
    let (behind, back) = start(&format!("{name}-back"), service, 0)?;
    let (before, front) = start(&format!("{name}-front"), service, back)?;
    // What else the host does is left out, so that a busy one does not keep the tracer.
    let pids = [&before, &behind].map(|process| process.pid().to_string());
    let [one, other] = pids.each_ref().map(|pid| ["--pid", pid.as_str()]);
    // What a runtime loads with its first request is there before the tracer looks.
    modes
        .iter()
        .try_for_each(|mode| http::touch(&format!("http://127.0.0.1:{front}/{mode}/before")))?;
    let tracer = ToFile::start(name, &[&one[..], &other[..], flags].concat())?;
    thread::scope(|scope| {
        let ask = |by: usize| move || modes.iter().try_for_each(|mode| ask(front, mode, by));
        let asking: Vec<_> = (0..CONCURRENCY).map(|by| scope.spawn(ask(by))).collect();
        asking.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("panicked"))?)
    })?;
    if modes.contains(&"left") {
        http::touch(&format!("http://127.0.0.1:{front}/settled/all"))?;
    }
    let seen = tracer.stop()?;
    let port = |span: &Span| span.get("server.port").and_then(|port| port.parse().ok());
    Ok(seen
        .spans
        .into_iter()
        .filter(|span| [Some(front), Some(back)].contains(&port(span)))
        .collect())
}

fn ask(port: u16, mode: &str, by: usize) -> Result<()> {
    (0..REQUESTS)
        .try_for_each(|n| http::touch(&format!("http://127.0.0.1:{port}/{mode}/{mode}-{by}-{n}")))
}

fn path(span: &Span) -> Result<&str> {
    let url =
        span.get("url.path").or_else(|| span.get("url.full")).context("a span without URL")?;
    Ok(url
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))
        .unwrap_or(url))
}

/// Asserts that every call of requests of a mode has the request as its parent, by its context: but for
/// one that was made alone, before the interpreter had been looked at.
fn assert_right(spans: &[Span], mode: &str) -> Result<()> {
    let calls = calls(spans, mode)?;
    let by_context = right(&calls, "context")?;
    ensure!(by_context + 1 >= calls.len(), "{mode}: {by_context} of {} by context", calls.len());
    Ok(())
}

/// The same of this share of the calls, and that none has another parent: garbage collections change
/// all names, and a thread waits for one thing at a time.
fn assert_mostly_right(spans: &[Span], mode: &str, share: f64) -> Result<()> {
    assert_not_wrong(spans, mode)?;
    let calls = calls(spans, mode)?;
    let right = calls.iter().filter(|(asked, call)| call.parent == asked.id);
    let by_context = right.filter(|(_, it)| it.get("tracer.parent.method") == Some("context"));
    let found = by_context.count() as f64 / calls.len() as f64;
    ensure!(found >= share, "{mode}: {found} by context");
    Ok(())
}

/// Asserts that calls have their requests as parents, and counts those that were decided so.
fn right(calls: &[(&Span, &Span)], method: &str) -> Result<usize> {
    let mut decided = 0;
    for (asked, call) in calls {
        ensure!(call.parent == asked.id, "{} is not under {}", path(call)?, path(asked)?);
        decided += usize::from(call.get("tracer.parent.method") == Some(method));
    }
    Ok(decided)
}

/// Asserts that no call of requests of a mode has another parent than its request.
fn assert_not_wrong(spans: &[Span], mode: &str) -> Result<()> {
    calls(spans, mode)?.into_iter().try_for_each(|(asked, call)| {
        let right = call.parent == asked.id || call.parent.is_empty();
        let other = spans.iter().find(|span| span.id == call.parent).map(path).transpose()?;
        let method = call.get("tracer.parent.method");
        ensure!(right, "{} is under {other:?}, by {method:?}", path(call)?);
        Ok(())
    })
}

/// The requests of a mode, each with every call that it made.
fn calls<'a>(spans: &'a [Span], mode: &str) -> Result<Vec<(&'a Span, &'a Span)>> {
    let wanted = format!("/{mode}/");
    let mut calls = vec![];
    for asked in spans.iter().filter(|span| span.side == Side::Server) {
        let Some(name) = path(asked)?.strip_prefix(&wanted) else { continue };
        for n in 0..CALLS {
            let leaf = format!("/leaf/{name}.{n}");
            let mut made = spans.iter().filter(|span| span.side == Side::Client);
            let call = made.find(|span| path(span).is_ok_and(|path| path == leaf));
            calls.push((asked, call.with_context(|| format!("no call {leaf}"))?));
        }
    }
    ensure!(calls.len() == CONCURRENCY * REQUESTS * CALLS, "{} calls of {mode}", calls.len());
    Ok(calls)
}

/// Of this host: the one in PATH, and pyenv's.
fn interpreters() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let versions = std::fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().flatten();
    let pyenv = versions.map(|version| version.path().join("bin/python3"));
    let all = pyenv.filter(|path| path.exists()).chain([PathBuf::from("python3")]);
    all.filter(|path| is_recent(path)).collect()
}

fn is_recent(interpreter: &Path) -> bool {
    let test = "import sys; sys.exit(sys.version_info < (3, 8))";
    Command::new(interpreter).args(["-c", test]).status().is_ok_and(|status| status.success())
}

fn script(interpreter: &Path, script: &str) -> Command {
    let mut python = Command::new(interpreter);
    python.arg(script);
    python
}

fn packages() -> Result<PathBuf> {
    Ok(prepare::tasks_python()?.join("python"))
}

#[test]
fn asyncio_in_every_interpreter() -> Result<()> {
    for (n, python) in interpreters().into_iter().enumerate() {
        let modes = ["sequential", "parallel", "threads"];
        let service = |_| script(&python, "asyncio_service.py");
        let checked = traced(&format!("asyncio-{n}"), &service, &modes, &[])
            .and_then(|spans| modes.iter().try_for_each(|mode| assert_right(&spans, mode)));
        checked.with_context(|| python.display().to_string())?;
    }
    Ok(())
}

/// Not even a context says for whom a thread was started.
#[test]
fn threads_that_handlers_start() -> Result<()> {
    let service = |_| script(Path::new("python3"), "threads_service.py");
    // Until some have been seen to end in time, they are not believed alone.
    let spans = traced("threads", &service, &["first", "spawned"], &[])?;
    let calls = calls(&spans, "spawned")?;
    let by_thread = right(&calls, "spawn")?;
    ensure!(by_thread == calls.len(), "{by_thread} of {} by spawn", calls.len());
    Ok(())
}

#[test]
fn aiohttp() -> Result<()> {
    let python = packages()?;
    let modes = ["sequential", "parallel", "threads", "left"];
    let service = |_| script(&python, "aiohttp_service.py");
    let spans = traced("aiohttp", &service, &modes, &[])?;
    modes.iter().take(3).try_for_each(|mode| assert_right(&spans, mode))?;
    assert_not_wrong(&spans, "left")
}

/// Its plain functions run in threads, and a task of its own streams a response.
#[test]
fn fastapi() -> Result<()> {
    let python = packages()?;
    let modes = ["sequential", "parallel", "threads", "blocking", "streamed"];
    let service = |port: u16| {
        let mut uvicorn = script(&python, "-m");
        uvicorn.args(["uvicorn", "--log-level", "warning", "fastapi_service:app", "--port"]);
        // Its connections are closed after 5 seconds otherwise, which may be between two modes.
        uvicorn.arg(port.to_string()).args(["--timeout-keep-alive", "600"]);
        uvicorn
    };
    let spans = traced("fastapi", &service, &modes, &[])?;
    modes.iter().try_for_each(|mode| assert_right(&spans, mode))
}

/// Greenlets that no context names: the request's own, those that it starts, those that these start, and
/// one that outlives its request.
#[test]
fn gevent() -> Result<()> {
    let python = packages()?;
    let service = |_| script(&python, "gevent_service.py");
    let modes = ["sequential", "parallel", "pool", "left"];
    let spans = traced("gevent", &service, &modes, &[])?;
    modes.iter().take(3).try_for_each(|mode| assert_right(&spans, mode))?;
    assert_not_wrong(&spans, "left")
}

#[test]
fn without_uprobes_greenlets_are_told_apart_and_who_begins_them_is_not_known() -> Result<()> {
    let python = packages()?;
    let service = |_| script(&python, "gevent_service.py");
    let spans = traced("gevent-plain", &service, &["sequential", "parallel"], &["--no-uprobes"])?;
    assert_right(&spans, "sequential")?;
    assert_not_wrong(&spans, "parallel")
}

#[test]
fn without_uprobes_contexts_are_read_and_who_begins_them_is_not_known() -> Result<()> {
    let python = packages()?;
    let service = |_| script(&python, "aiohttp_service.py");
    let modes = ["sequential", "parallel"];
    let spans = traced("aiohttp-plain", &service, &modes, &["--no-uprobes"])?;
    assert_right(&spans, "sequential")?;
    assert_not_wrong(&spans, "parallel")
}

/// The same classes in a virtual machine of each release of this host.
#[test]
fn java() -> Result<()> {
    // Who waits for two calls of a pool waits for one at a time: about every second call is named.
    let modes = [("sequential", 0.6), ("parallel", 0.6), ("blocking", 0.6), ("pool", 0.25)];
    let names = modes.map(|(mode, _)| mode);
    for (n, java) in javas().into_iter().enumerate() {
        let service = |_| script(&java, "Futures.java");
        let checked = traced(&format!("java-{n}"), &service, &names, &[]).and_then(|spans| {
            let mut modes = modes.iter();
            modes.try_for_each(|&(mode, share)| assert_mostly_right(&spans, mode, share))
        });
        checked.with_context(|| java.display().to_string())?;
    }
    Ok(())
}

/// The one in PATH, and others with compilers where Debian keeps them.
fn javas() -> Vec<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let directories = installed.filter(|it| it.file_type().is_ok_and(|it| it.is_dir()));
    let all = directories.map(|it| it.path().join("bin/java"));
    let compiles = |java: &PathBuf| java.with_file_name("javac").exists();
    all.filter(compiles).chain([PathBuf::from("java")]).collect()
}
