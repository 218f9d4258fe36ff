//! What unmodified services ask real databases and caches: the right statement, redacted, below the
//! right request. Servers are started once.

mod asked;
mod drivers;
mod jaeger;
mod java;
#[path = "../recorded/mod.rs"]
mod recorded;
mod scene;
mod sealed;

use std::process;
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tests::databases::Databases;

type Body = fn(&Databases) -> anyhow::Result<()>;

const TESTS: [(&str, Body); 12] = [
    ("python_on_threads", drivers::flask),
    ("python_on_an_event_loop", drivers::aiohttp),
    ("go", drivers::go),
    ("node", drivers::node),
    ("java_on_threads", java::jdbc),
    ("over_a_unix_socket", drivers::unix),
    ("behind_tls", sealed::flask),
    ("in_jaeger", jaeger::calls),
    ("only_what_is_asked_for", drivers::chosen),
    ("recordings_hold_none_of_it", drivers::recorded),
    ("connections_from_before", drivers::older),
    ("one_service_asks_another_and_both_their_database", scene::shipments),
];

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::from_args();
    // They share the databases, and each watches processes of its own only.
    arguments.test_threads = Some(1);
    let wanted = !arguments.list
        && (arguments.filter.as_ref())
            .is_none_or(|filter| TESTS.iter().any(|(name, _)| name.contains(filter.as_str())));
    if !wanted {
        libtest_mimic::run(&arguments, trials(None)).exit();
    }
    let databases = Databases::start()?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let shared: &'static std::sync::Mutex<Option<Databases>> =
        Box::leak(Box::new(std::sync::Mutex::new(Some(databases))));
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            drop(shared.lock().map(|mut databases| databases.take()));
            process::exit(130);
        }
    });
    let conclusion = libtest_mimic::run(&arguments, trials(Some(shared)));
    drop(shared.lock().map(|mut databases| databases.take()));
    conclusion.exit()
}

fn trials(databases: Option<&'static std::sync::Mutex<Option<Databases>>>) -> Vec<Trial> {
    let trial = |(name, body): (&str, Body)| {
        Trial::test(name, move || {
            let databases = databases.ok_or("there are no databases to ask")?;
            let databases = databases.lock().map_err(|error| Failed::from(error.to_string()))?;
            let databases = databases.as_ref().ok_or("the databases have ended")?;
            body(databases).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    TESTS.into_iter().map(trial).collect()
}
