//! Tests that share servers, which are started once and ended after the last.

use std::process;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A test's name, and what it does with the servers.
pub(crate) type Test<T> = (&'static str, fn(&T) -> Result<()>);

/// Runs those that are asked for, one after the other, and exits. The servers start only if there is
/// any.
pub(crate) fn run<T: Send>(
    tests: &'static [Test<T>],
    start: impl FnOnce() -> Result<T>,
) -> Result<()> {
    let mut arguments = Arguments::from_args();
    // They share the servers, and each watches processes of its own only.
    arguments.test_threads = Some(1);
    let wanted = !arguments.list
        && (arguments.filter.as_ref())
            .is_none_or(|filter| tests.iter().any(|(name, _)| name.contains(filter.as_str())));
    let servers: &'static Mutex<Option<T>> = Box::leak(Box::new(Mutex::new(None)));
    if wanted {
        *servers.lock().unwrap_or_else(PoisonError::into_inner) = Some(start()?);
    }
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            drop(servers.lock().map(|mut servers| servers.take()));
            process::exit(130);
        }
    });
    let trial = |(name, body): &'static Test<T>| {
        Trial::test(*name, move || {
            let servers = servers.lock().map_err(|error| Failed::from(error.to_string()))?;
            let servers = servers.as_ref().ok_or("the servers do not run")?;
            body(servers).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let conclusion = libtest_mimic::run(&arguments, tests.iter().map(trial).collect());
    drop(servers.lock().map(|mut servers| servers.take()));
    conclusion.exit()
}
