//! Unmodified services on this host are seen as the right trees in a real Zipkin and a real
//! Jaeger. Servers, backends and the tracer are started once; each test drives its own services.

mod curl;
mod scenario;
mod world;

use std::{process, thread};

use libtest_mimic::{Arguments, Failed, Trial};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::world::World;

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::from_args();
    // Each at its own time: the last two are about what the others did.
    arguments.test_threads = Some(1);
    if arguments.list {
        libtest_mimic::run(&arguments, trials(None)).exit();
    }
    let world: &'static World = Box::leak(Box::new(World::start()?));
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            world.end();
            process::exit(130);
        }
    });
    let conclusion = libtest_mimic::run(&arguments, trials(Some(world)));
    // Leaked for the tests' closures, so nothing would end its processes.
    world.end();
    conclusion.exit()
}

fn trials(world: Option<&'static World>) -> Vec<Trial> {
    let test = |name: &str, body: fn(&World) -> anyhow::Result<()>| {
        Trial::test(name, move || {
            let world = world.ok_or("there is no world to test")?;
            body(world).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    vec![
        test("curl_to_flask", scenario::curl_to_flask),
        test("flask_to_go_to_flask_over_pools", scenario::flask_go_flask),
        test("gunicorn_to_flask_run", scenario::gunicorn_flask),
        test("go_calls_two_services", scenario::go_fanout),
        test("nginx_in_front_of_flask", scenario::nginx_flask),
        test("forwarded_b3_headers", scenario::b3),
        test("call_graph", scenario::call_graph),
        test("stop_flushes_and_summarises", scenario::stop),
    ]
}
