//! `cargo xtask demo`

use std::collections::HashSet;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use e2e::shop::Shop;
use e2e::tracer::Tracer;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{install, prepare, run, step, waterfall};

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
    let file = e2e::paths::logs().join("demo.jsonl");
    // What an earlier demo left would be drawn again.
    let _ = std::fs::remove_file(&file);
    let ui = e2e::ports::free()?.to_string();
    let export = format!("file={}", file.display());
    let tracer = Tracer::start("demo", &["--export", &export, "--ui", &ui])?;
    println!("==> {}", tracer.ready);
    println!(
        "==> -> marks a call as its caller saw it, the line below it the same as its callee did\n"
    );
    let mut screen = Screen::new(file);
    let start = Instant::now();
    let mut served = 0;
    while start.elapsed() < Duration::from_secs(options.seconds) && !stopped.load(Ordering::Relaxed)
    {
        served += 1;
        shop.check_out(served)?;
        screen.show(false);
        thread::sleep(PAUSE);
    }
    println!("==> {served} customers served, closing\n");
    let ended = tracer.stop()?;
    screen.show(true);
    println!("{}", ended.summary);
    anyhow::ensure!(ended.status.success(), "the tracer ended with {}", ended.status);
    Ok(())
}

/// Draws the traces that the tracer has written to a file.
struct Screen {
    file: PathBuf,
    read: usize,
    waiting: Vec<waterfall::Span>,
}

impl Screen {
    fn new(file: PathBuf) -> Self {
        Self { file, read: 0, waiting: vec![] }
    }

    /// Draws the traces of which nothing has come since the last call; `all`: the others, too.
    fn show(&mut self, all: bool) {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        // Only whole lines; the rest comes with the next look.
        let end = text.rfind('\n').map_or(0, |at| at + 1);
        let new = text.get(self.read..end).unwrap_or_default();
        self.read = end.max(self.read);
        let new: Vec<_> = new.lines().flat_map(waterfall::parse).collect();
        let grown: HashSet<_> = new.iter().map(|span| span.trace.clone()).collect();
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.extend(new);
        for trace in waterfall::traces(waiting) {
            let grows = trace.iter().any(|span| grown.contains(&span.trace));
            if grows && !all {
                self.waiting.extend(trace);
            } else if trace.iter().any(|span| span.service == "storefront") {
                // The whole host is traced; this is the shop.
                println!("{}", waterfall::draw(&trace));
            }
        }
    }
}
