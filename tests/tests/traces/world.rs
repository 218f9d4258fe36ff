//! Everything that runs: backends, services, then the tracer, and what was asked of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use tests::expect::{self, Call};
use tests::jaeger::Jaeger;
use tests::services::{Running, Runtime, Service};
use tests::span::Span;
use tests::tracer::{Ended, Tracer};
use tests::zipkin::Zipkin;
use tests::{http, poll};

use crate::curl::{self, Window};

/// How long a service without calls works; no span can be shorter.
pub(crate) const WORK: Duration = Duration::from_millis(5);

/// Settling, batching and the backend's own indexing take a second or two together.
const ARRIVAL: Duration = Duration::from_secs(30);

/// All the processes. Services are told apart by their names, so each test has its own.
pub(crate) struct World {
    parts: Mutex<Option<Parts>>,
    /// Every request that the tests made, for the call graph.
    made: Mutex<Vec<(Call, u64)>>,
    interrupted: AtomicBool,
}

pub(crate) struct Parts {
    tracer: Option<Tracer>,
    pub(crate) zipkin: Zipkin,
    pub(crate) grpc: Jaeger,
    pub(crate) http: Jaeger,
    pub(crate) started: u64,
    services: Vec<(&'static str, Running)>,
}

/// A kind of request that a test made.
pub(crate) struct Made {
    pub(crate) call: Call,
    pub(crate) times: u64,
    pub(crate) window: Window,
    /// Trace id and parent's id that came in the request's headers.
    pub(crate) context: Option<(String, String)>,
}

impl World {
    pub(crate) fn start() -> Result<World> {
        let (zipkin, grpc, http, services) = thread::scope(|scope| {
            let zipkin = scope.spawn(Zipkin::start);
            let grpc = scope.spawn(|| Jaeger::start("jaeger-grpc"));
            let http = scope.spawn(|| Jaeger::start("jaeger-http"));
            let services = services();
            let gone = |_| anyhow!("a starting thread panicked");
            anyhow::Ok((
                zipkin.join().map_err(gone)??,
                grpc.join().map_err(gone)??,
                http.join().map_err(gone)??,
                services?,
            ))
        })?;
        let started = curl::now()?;
        let tracer = Tracer::start(
            "tracer",
            &[
                "--settle".to_owned(),
                "300ms".to_owned(),
                "--export".to_owned(),
                format!("zipkin={}", zipkin.url()),
                "--export".to_owned(),
                format!("otlp=http://127.0.0.1:{}", grpc.grpc),
                "--export".to_owned(),
                format!("otlp-http=http://127.0.0.1:{}", http.http),
            ],
        )?;
        let tracer = Some(tracer);
        let parts = Parts { tracer, zipkin, grpc, http, started, services };
        Ok(World {
            parts: Mutex::new(Some(parts)),
            made: Mutex::default(),
            interrupted: AtomicBool::new(false),
        })
    }

    /// Ends every process; a test that still waits for something fails at once.
    pub(crate) fn end(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
        drop(lock(&self.parts).take());
    }

    /// Base URL of a service.
    pub(crate) fn url(&self, service: &str) -> Result<String> {
        self.with(|parts| {
            let found = parts.services.iter().find(|(name, _)| *name == service);
            found.map(|(_, running)| running.url()).ok_or_else(|| anyhow!("no service {service}"))
        })
    }

    /// Interrupts the tracer and waits for its end.
    pub(crate) fn stop_tracer(&self) -> Result<Ended> {
        let tracer = lock(&self.parts).as_mut().and_then(|parts| parts.tracer.take());
        tracer.ok_or_else(|| anyhow!("the tracer was stopped before"))?.stop()
    }

    /// What was asked of every service so far, as the calls that each request caused.
    pub(crate) fn made(&self) -> Vec<(Call, u64)> {
        lock(&self.made).clone()
    }

    /// Waits until each backend shows, of the traces through `service`, exactly those of `made`.
    pub(crate) fn check(&self, service: &str, made: &[Made]) -> Result<()> {
        lock(&self.made).extend(made.iter().map(|made| (made.call.clone(), made.times)));
        self.with(|parts| {
            self.until("in Zipkin", || all(&parts.zipkin.traces(service)?, made))?;
            let start = parts.started;
            self.until("in Jaeger, by OTLP/gRPC", || {
                all(&parts.grpc.traces(service, start)?, made)
            })?;
            self.until("in Jaeger, by OTLP/HTTP", || all(&parts.http.traces(service, start)?, made))
        })
    }

    /// Waits until `attempt` succeeds, as long as spans may take from a service to a backend.
    pub(crate) fn until(&self, what: &str, mut attempt: impl FnMut() -> Result<()>) -> Result<()> {
        poll::until(what, ARRIVAL, || {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(Err(anyhow!("interrupted")));
            }
            attempt().map(Ok)
        })?
    }

    pub(crate) fn with<T>(&self, use_it: impl FnOnce(&Parts) -> Result<T>) -> Result<T> {
        use_it(lock(&self.parts).as_ref().ok_or_else(|| anyhow!("everything has been stopped"))?)
    }
}

/// A failed test poisons nothing that the next one relies on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn all(traces: &[Vec<Span>], made: &[Made]) -> Result<()> {
    let wanted: u64 = made.iter().map(|made| made.times).sum();
    let mut counts = vec![0; made.len()];
    for trace in traces {
        let like = |made: &&Made| match &made.context {
            Some((id, _)) => trace.iter().all(|span| span.trace == *id),
            None => trace.iter().all(|span| span.name.eq_ignore_ascii_case(made.call.name)),
        };
        let Some((at, made)) = made.iter().enumerate().find(|(_, made)| like(made)) else {
            anyhow::bail!("nothing that was asked for: {}", expect::draw(trace))
        };
        let parent = made.context.as_ref().map(|(_, parent)| parent.as_str());
        expect::check(trace, &made.call, parent, WORK.as_micros() as u64)?;
        in_time(trace, made.window)?;
        counts[at] += 1;
    }
    ensure!(traces.len() as u64 == wanted, "{} traces, not {wanted}", traces.len());
    let right = made.iter().map(|made| made.times).eq(counts.iter().copied());
    ensure!(right, "not every request has its trace: {counts:?}");
    Ok(())
}

/// Clocks differ by nothing here, but the tracer converts between two of them.
fn in_time(trace: &[Span], window: Window) -> Result<()> {
    const CONVERSION: u64 = 2_000;
    for span in trace {
        let early = span.start + CONVERSION < window.start;
        let late = span.end() > window.end + CONVERSION;
        let long = span.duration > window.slowest + CONVERSION;
        ensure!(!early && !late && !long, "outside {window:?}: {}", expect::draw(trace));
    }
    Ok(())
}

/// Starts all services, those that are called first. The pools of those that serve several
/// requests at once are open before the tracer starts.
fn services() -> Result<Vec<(&'static str, Running)>> {
    let mut running: Vec<(&'static str, Running)> = Vec::new();
    for (name, runtime, calls, otel_name, forwards) in SERVICES {
        let find = |callee: &&str| running.iter().find(|(name, _)| name == callee);
        let callees: Vec<&Running> = calls.iter().filter_map(find).map(|(_, it)| it).collect();
        ensure!(callees.len() == calls.len(), "{name} calls what is not started yet");
        let otel_name = otel_name.then_some(name);
        let service = Service { name, runtime, calls: &callees, otel_name, forwards, work: WORK };
        running.push((name, service.start()?));
    }
    for (_, service) in running.iter().filter(|(name, _)| WARM.contains(name)) {
        for _ in 0..3 {
            http::touch(&format!("{}/warm", service.url()))?;
        }
    }
    Ok(running)
}

const WARM: [&str; 3] = ["ledger", "nginx", "b3-front"];

/// Name, runtime, calls, whether the name comes from `OTEL_SERVICE_NAME`, whether it forwards B3.
type Row = (&'static str, Runtime, &'static [&'static str], bool, bool);

const SCRIPT: Runtime = Runtime::Flask("flask_service.py");

const SERVICES: [Row; 14] = [
    ("front", SCRIPT, &[], true, false),
    ("inventory", Runtime::Flask("inventory.py"), &[], false, false),
    ("pricing", Runtime::Go, &["inventory"], true, false),
    ("gateway", SCRIPT, &["pricing"], true, false),
    ("archive", Runtime::FlaskRun("archive"), &[], false, false),
    ("ledger", Runtime::Gunicorn("ledger"), &["archive"], false, false),
    ("users", SCRIPT, &[], true, false),
    ("orders", Runtime::Go, &[], true, false),
    ("aggregator", Runtime::Go, &["users", "orders"], true, false),
    ("catalog", SCRIPT, &[], true, false),
    ("nginx", Runtime::Nginx, &["catalog"], false, false),
    ("b3-back", SCRIPT, &[], true, false),
    ("b3-middle", Runtime::Go, &["b3-back"], true, true),
    ("b3-front", SCRIPT, &["b3-middle"], true, true),
];
