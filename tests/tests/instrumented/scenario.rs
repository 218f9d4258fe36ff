//! The tests themselves.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow, ensure};
use tests::poll;
use tests::process::run;
use tests::span::Side;
use tests::tracer::Tracer;

use crate::INTERRUPTED;
use crate::trace::Trace;
use crate::world::World;

/// Settling, batching on both sides and the backend's own indexing.
const ARRIVAL: Duration = Duration::from_secs(30);

const TRACE: &str = "0af7651916cd43dd8448eb211c8031";

impl World {
    fn tracer(&self, name: &str, more: &[&str]) -> Result<Tracer> {
        let zipkin = format!("zipkin={}", self.zipkin.url());
        let jaeger = format!("otlp-http=http://127.0.0.1:{}", self.jaeger.http);
        let common = ["--settle", "300ms", "--export", &zipkin, "--export", &jaeger];
        Tracer::start(&format!("tracer-{name}"), &[&common[..], more].concat())
    }

    /// The trace of a request for `path`, when `right` finds it so.
    fn zipkin(&self, path: &str, right: impl Fn(&Trace) -> Result<()>) -> Result<()> {
        until("in Zipkin", || right(&Trace::of(self.zipkin.traces("webapp")?, path)?))
    }

    fn jaeger(&self, path: &str, last: &str, right: impl Fn(&Trace) -> Result<()>) -> Result<()> {
        let start = microseconds()?.saturating_sub(60_000_000);
        until("in Jaeger", || right(&Trace::of(self.jaeger.traces(last, start)?, path)?))
    }
}

fn until(what: &str, mut right: impl FnMut() -> Result<()>) -> Result<()> {
    poll::until(what, ARRIVAL, || {
        if INTERRUPTED.load(Ordering::Relaxed) {
            return Ok(Err(anyhow!("interrupted")));
        }
        right().map(Ok)
    })?
}

fn microseconds() -> Result<u64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_micros())?)
}

fn get(base: &str, path: &str, header: Option<&str>) -> Result<()> {
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--silent", "--fail", "--noproxy", "*", "--max-time", "30"]);
    curl.args(header.iter().flat_map(|header| ["--header", *header]));
    run("curl", curl.arg(format!("{base}{path}"))).map(drop)
}

fn same(span: &tests::span::Span, sdk: &tests::span::Span) -> Result<()> {
    let said = span.tag("tracer.same_request_as");
    ensure!(said == Some(sdk.id.as_str()), "same request as {said:?}, not {}", sdk.id);
    Ok(())
}

/// curl -> webapp -> service1: one trace with py_zipkin's own spans, whose parents are as it says.
pub(crate) fn tutorial(world: &World) -> Result<()> {
    let _tracer = world.tracer("tutorial", &[])?;
    for path in ["/tutorial-1", "/tutorial-2", "/tutorial-3"] {
        get(&world.webapp, path, None)?;
    }
    for path in ["/tutorial-1", "/tutorial-2", "/tutorial-3"] {
        world.zipkin(path, |trace| {
            trace.row(&["curl", "webapp", "service1"], path, None)?;
            let work = trace.sdk("webapp", |span| span.name == "do_stuff")?;
            let index = trace.sdk("webapp", |span| span.name == "index")?;
            let callee = trace.sdk("service1", |span| span.name == "index_service1")?;
            let below = trace.sdk("service1", |span| span.name == "service1_do_stuff")?;
            ensure!(index.parent.is_none() && work.parent.as_ref() == Some(&index.id));
            ensure!(callee.parent.as_ref() == Some(&work.id), "{}", trace.draw());
            ensure!(below.parent.as_ref() == Some(&callee.id), "{}", trace.draw());
            for (service, side) in [("webapp", Side::Client), ("service1", Side::Server)] {
                same(trace.ours(service, side, path)?, callee)?;
            }
            trace.whole(None)
        })?;
    }
    Ok(())
}

pub(crate) fn otel_flask(world: &World) -> Result<()> {
    between(world, &world.flask_front, ["flask-front", "otel-flask", "flask-back"])
}

pub(crate) fn otel_go(world: &World) -> Result<()> {
    between(world, &world.go_front, ["go-front", "otel-go", "go-back"])
}

/// curl -> plain -> one that traces itself -> plain: one trace with the SDK's spans.
fn between(world: &World, base: &str, [front, middle, back]: [&str; 3]) -> Result<()> {
    let _tracer = world.tracer(middle, &[])?;
    let paths = [1, 2, 3].map(|n| format!("/{middle}-{n}"));
    for path in &paths {
        get(base, path, None)?;
    }
    for path in &paths {
        world.jaeger(path, back, |trace| {
            trace.row(&["curl", front, middle, back], path, None)?;
            let (server, client) = (
                trace.sdk(middle, |span| span.side == Some(Side::Server))?,
                trace.sdk(middle, |span| span.side == Some(Side::Client))?,
            );
            ensure!(client.parent.as_ref() == Some(&server.id), "{}", trace.draw());
            same(trace.ours(middle, Side::Client, path)?, client)?;
            same(trace.ours(back, Side::Server, path)?, client)?;
            ensure!(trace.ours(middle, Side::Server, path)?.tag("tracer.instrumented").is_some());
            ensure!(trace.ours(front, Side::Client, path)?.tag("tracer.instrumented").is_none());
            trace.whole(None)
        })?;
    }
    Ok(())
}

/// Many requests at once, each with a context from outside: goroutines tell nothing here, but the
/// SDK's headers do.
pub(crate) fn at_once(world: &World) -> Result<()> {
    const PARENT: &str = "b7ad6b7169203331";
    let _tracer = world.tracer("at-once", &[])?;
    let requests: Vec<(String, String)> =
        (10..50).map(|n| (format!("/at-once-{n}"), format!("{TRACE}{n}"))).collect();
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--no-progress-meter", "--parallel", "--parallel-immediate"]);
    curl.args(["--parallel-max", "8"]);
    for (at, (path, trace)) in requests.iter().enumerate() {
        curl.args((at > 0).then_some("--next"));
        curl.args(["--fail", "--noproxy", "*", "--max-time", "30", "--output", "/dev/null"]);
        curl.args(["--header", &format!("traceparent: 00-{trace}-{PARENT}-01")]);
        curl.arg(format!("{}{path}", world.otel_go));
    }
    run("curl", &mut curl)?;
    for (path, id) in &requests {
        world.jaeger(path, "go-back", |trace| {
            trace.row(&["curl", "otel-go", "go-back"], path, Some(PARENT))?;
            let call = trace.ours("otel-go", Side::Client, path)?;
            ensure!(call.trace == *id && call.tag("tracer.parent.method") == Some("header"));
            let server = trace.sdk("otel-go", |span| span.side == Some(Side::Server))?;
            ensure!(server.parent.as_deref() == Some(PARENT), "{}", trace.draw());
            same(call, trace.sdk("otel-go", |span| span.side == Some(Side::Client))?)?;
            trace.whole(Some(PARENT))
        })?;
    }
    Ok(())
}

pub(crate) fn forwarding(world: &World) -> Result<()> {
    let _tracer = world.tracer("forwarding", &[])?;
    let (path, parent) = ("/forwarded", "b7ad6b7169203331");
    get(&world.forwarding, path, Some(&format!("traceparent: 00-{TRACE}01-{parent}-01")))?;
    world.jaeger(path, "mesh-back", |trace| {
        trace.row(&["curl", "nginx", "mesh-back"], path, Some(parent))?;
        ensure!(trace.ours("curl", Side::Client, path)?.trace == format!("{TRACE}01"));
        let call = trace.ours("nginx", Side::Client, path)?;
        ensure!(call.tag("tracer.parent.method") == Some("header"), "{}", trace.draw());
        ensure!(call.tag("tracer.instrumented").is_none() && call.links.is_empty());
        trace.whole(Some(parent))
    })
}

pub(crate) fn rewriting(world: &World) -> Result<()> {
    let _tracer = world.tracer("rewriting", &[])?;
    let (path, parent) = ("/rewritten", "b7ad6b7169203331");
    get(&world.rewriting, path, Some(&format!("traceparent: 00-{TRACE}02-{parent}-01")))?;
    world.jaeger(path, "mesh-back", |trace| {
        trace.row(&["curl", "nginx", "mesh-back"], path, Some(parent))?;
        let call = trace.ours("nginx", Side::Client, path)?;
        ensure!(call.trace == format!("{TRACE}02"), "{}", trace.draw());
        for span in [call, trace.ours("mesh-back", Side::Server, path)?] {
            let [(linked, id)] = &span.links[..] else { anyhow::bail!("{:?}", span.links) };
            ensure!(*linked != call.trace && id == "00f067aa0ba902b7", "{linked} {id}");
        }
        trace.whole(Some(parent))
    })
}

pub(crate) fn skip(world: &World) -> Result<()> {
    let tracer = world.tracer("skip", &["--when-instrumented", "skip", "-v"])?;
    let paths = ["/skipped-1", "/skipped-2"];
    for path in paths {
        get(&world.flask_front, path, None)?;
    }
    for path in paths {
        world.jaeger(path, "flask-back", |trace| {
            trace.row(&["curl", "flask-front"], path, None)?;
            trace.ours("flask-front", Side::Client, path)?;
            for side in [Side::Server, Side::Client] {
                ensure!(trace.ours("otel-flask", side, path).is_err(), "{}", trace.draw());
            }
            // The SDK's own span stands where the tracer's would.
            let client = trace.sdk("otel-flask", |span| span.side == Some(Side::Client))?;
            let server = trace.ours("flask-back", Side::Server, path)?;
            ensure!(server.parent.as_ref() == Some(&client.id), "{}", trace.draw());
            trace.whole(None)
        })?;
    }
    ensure!(tracer.stop()?.status.success());
    Ok(())
}

pub(crate) fn respect_sampled(world: &World) -> Result<()> {
    let tracer = world.tracer("sampled", &["--respect-sampled"])?;
    let (path, parent) = ("/sampled", "b7ad6b7169203331");
    for (number, flag) in [("03", "00"), ("04", "01")] {
        let header = format!("traceparent: 00-{TRACE}{number}-{parent}-{flag}");
        get(&world.forwarding, path, Some(&header))?;
    }
    let kept = |trace: &Trace| {
        trace.row(&["curl", "nginx", "mesh-back"], path, Some(parent))?;
        ensure!(trace.ours("curl", Side::Client, path)?.trace == format!("{TRACE}04"));
        Ok(())
    };
    world.jaeger(path, "mesh-back", kept)?;
    // All that is still to come has come when it has stopped.
    ensure!(tracer.stop()?.status.success());
    world.jaeger(path, "mesh-back", kept)
}
