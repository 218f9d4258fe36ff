//! `cargo xtask demo`

use std::os::unix::process::CommandExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use e2e::shop::Shop;
use e2e::tracer::Tracer;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{install, prepare, run, step};

/// Between two customers: slow enough to read along.
const PAUSE: Duration = Duration::from_millis(400);

#[derive(Args)]
pub(crate) struct Options {
    /// How long customers come, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Everything is built and installed already
    #[arg(long, hide = true)]
    prepared: bool,
}

/// Opens the shop, traces it, and prints the spans as they come; ends by itself or on Ctrl-C.
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
    let tracer = Tracer::start("demo", &["--export", "stdout"])?;
    println!("==> {}", tracer.ready);
    let mut shown = 0;
    let mut show = |output: String| {
        // Only whole lines; the rest comes with the next look.
        let end = output.rfind('\n').map_or(0, |at| at + 1);
        print!("{}", output.get(shown..end).unwrap_or_default());
        shown = end.max(shown);
    };
    let start = Instant::now();
    let mut served = 0;
    while start.elapsed() < Duration::from_secs(options.seconds) && !stopped.load(Ordering::Relaxed)
    {
        served += 1;
        shop.check_out(served)?;
        show(tracer.output());
        thread::sleep(PAUSE);
    }
    println!("==> {served} customers served, closing");
    let output = tracer.output_path();
    let ended = tracer.stop()?;
    show(std::fs::read_to_string(&output)?);
    println!("{}", ended.summary);
    anyhow::ensure!(ended.status.success(), "the tracer ended with {}", ended.status);
    Ok(())
}
