//! `cargo xtask demo`

use std::collections::HashMap;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use e2e::shop::Shop;
use e2e::tracer::Tracer;
use serde::Deserialize;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{install, prepare, run, step};

/// Between two customers: slow enough to read along.
const PAUSE: Duration = Duration::from_millis(400);
/// For the last ones' traces.
const REST: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct Options {
    /// How long customers come, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Everything is built and installed already
    #[arg(long, hide = true)]
    prepared: bool,
}

/// Opens the shop, traces it, and draws the traces as they come; ends by itself or on Ctrl-C.
pub(crate) fn demo(options: &Options) -> Result<()> {
    if !options.prepared {
        run::build()?;
        prepare::services()?;
    }
    if !install::is_root() {
        let mut command = install::as_root(std::env::current_exe()?);
        command.args(["demo", "--prepared", "--seconds", &options.seconds.to_string()]);
        return Err(command.exec()).with_context(|| step::line(&command));
    }
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stopped))?;
    }
    println!(
        "==> opening the shop: storefront -> cart -> stock (sometimes slow), payment (sometimes fails)"
    );
    let shop = Shop::open()?;
    // The whole host: with a part left out, a service's only known request is not proven to be
    // its only request, and the cart's calls would stay without a parent.
    let ui = e2e::ports::free()?.to_string();
    let tracer = Tracer::start("demo", &["--ui", &ui])?;
    println!("==> {}", tracer.ready);
    let url = tracer.ready.split_whitespace().find(|word| word.starts_with("http://"));
    let mut screen = Screen::new(url.context("the tracer has no page")?.to_owned());
    println!(
        "==> -> marks a call as its caller saw it, the line below it the same as its callee did\n"
    );
    let start = Instant::now();
    let mut served = 0;
    while start.elapsed() < Duration::from_secs(options.seconds) && !stopped.load(Ordering::Relaxed)
    {
        served += 1;
        shop.check_out(served)?;
        screen.show()?;
        thread::sleep(PAUSE);
    }
    println!("==> {served} customers served, closing\n");
    screen.show_all(served as usize)?;
    let ended = tracer.stop()?;
    println!("{}", ended.summary);
    anyhow::ensure!(ended.status.success(), "the tracer ended with {}", ended.status);
    Ok(())
}

/// Prints the shop's traces, by the tracer's own command.
struct Screen {
    /// Of the tracer's page, with the token.
    url: String,
    /// Spans of each trace at the last look; `None` for one that has been printed.
    seen: HashMap<String, Option<u64>>,
}

#[derive(Deserialize)]
struct Traces {
    traces: Vec<Short>,
}

#[derive(Deserialize)]
struct Short {
    id: String,
    /// Its first span has no parent.
    root: bool,
    spans: u64,
}

impl Screen {
    fn new(url: String) -> Self {
        Self { url, seen: HashMap::new() }
    }

    /// Prints the traces that have not grown since the last look. The whole host is traced; these are
    /// the shop's.
    fn show(&mut self) -> Result<()> {
        let search = self.url.replacen("?", "ui/traces?service=storefront&limit=1000&", 1);
        let mut found: Traces = e2e::http::get(&search)?;
        found.traces.reverse();
        for Short { id, root, spans } in found.traces {
            let whole = match self.seen.get(&id) {
                Some(None) => continue,
                Some(Some(before)) => root && *before == spans,
                None => false,
            };
            if whole {
                let mut trace = Command::new(e2e::paths::tracer());
                trace.args(["trace", &id, "--url", &self.url]);
                anyhow::ensure!(trace.status()?.success(), "{}", step::line(&trace));
                println!();
            }
            self.seen.insert(id, (!whole).then_some(spans));
        }
        Ok(())
    }

    /// The same until as many have been printed, or nothing more can be expected.
    fn show_all(&mut self, count: usize) -> Result<()> {
        let start = Instant::now();
        let printed =
            |seen: &HashMap<_, Option<u64>>| seen.values().filter(|it| it.is_none()).count();
        while printed(&self.seen) < count && start.elapsed() < REST {
            thread::sleep(PAUSE);
            self.show()?;
        }
        Ok(())
    }
}
