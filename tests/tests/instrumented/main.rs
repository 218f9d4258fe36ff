//! Beside services that trace themselves with the real libraries, and beside proxies, in a real
//! Zipkin and a real Jaeger. docs/instrumented-services.md has the rules. Each test starts a tracer
//! of its own.

mod scenario;
mod trace;
mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::world::World;

static WORLD: Mutex<Option<World>> = Mutex::new(None);
/// Whatever still waits fails at once then, so that every process is ended in order.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn main() -> Result<()> {
    let mut arguments = Arguments::from_args();
    // Two tracers at once would see each other's requests.
    arguments.test_threads = Some(1);
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            INTERRUPTED.store(true, Ordering::Relaxed);
        }
    });
    if !arguments.list {
        let world = World::start()?;
        *WORLD.lock().unwrap_or_else(PoisonError::into_inner) = Some(world);
    }
    let conclusion = libtest_mimic::run(&arguments, trials());
    drop(WORLD.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit()
}

fn trials() -> Vec<Trial> {
    let test = |name: &str, body: fn(&World) -> Result<()>| {
        Trial::test(name, move || {
            if INTERRUPTED.load(Ordering::Relaxed) {
                return Err(Failed::from("interrupted"));
            }
            let world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
            let world = world.as_ref().context("there is no world to test");
            world.and_then(body).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    vec![
        test("py_zipkin_tutorial", scenario::tutorial),
        test("opentelemetry_flask_between_plain_services", scenario::otel_flask),
        test("otelhttp_between_plain_services", scenario::otel_go),
        test("otelhttp_with_many_requests_at_once", scenario::at_once),
        test("sidecar_that_forwards", scenario::forwarding),
        test("sidecar_that_rewrites", scenario::rewriting),
        test("skip", scenario::skip),
        test("respect_sampled", scenario::respect_sampled),
    ]
}
