//! What the store costs: spans a second of CPU while it is filled, memory, and the time that searches
//! take then. `cargo xtask bench --store-spans N`.

mod shop;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use tracer_user::store::{Limits, Query, Store};

#[derive(Parser)]
struct Options {
    /// Passed on by `cargo bench`
    #[arg(long)]
    bench: bool,
    /// Spans to fill the store with
    #[arg(long, default_value_t = 1_000_000)]
    spans: u64,
    /// Where to put it; a new directory there is removed afterwards [default: that of other temporary files]
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Leave the store there, for a tracer to show: `tracer --data-dir DIRECTORY --store-size 1TiB`
    #[arg(long)]
    keep: bool,
}

/// Spans given at once; the store's queue has room for them.
const BATCH: u64 = 6000;
const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> Result<()> {
    let options = Options::parse();
    let parent = options.directory.unwrap_or_else(std::env::temp_dir);
    let mut directory = tempfile::tempdir_in(parent)?;
    directory.disable_cleanup(options.keep);
    let limits = Limits { bytes: 1 << 40, age: Duration::from_secs(1 << 30) };
    let store = Store::open(directory.path(), limits)?;
    fill(&store, options.spans)?;
    drop(store);
    let begun = Instant::now();
    let store = Store::open(directory.path(), limits)?;
    println!("{:40} {:8.1} ms", "opening it again", milliseconds(begun.elapsed()));
    searches(&store, options.spans);
    if options.keep {
        println!("{:40} {}", "it is kept in", directory.path().display());
    }
    println!("{:40} {:8} MiB", "memory at most, with what fills it", peak()? >> 20);
    Ok(())
}

fn fill(store: &Store, spans: u64) -> Result<()> {
    let (begun, all, own) = (Instant::now(), all_cpu(), own_cpu());
    let mut shop = shop::Shop::default();
    let mut given = 0;
    while given < spans {
        let batch = shop.spans(BATCH);
        given += batch.len() as u64;
        store.put(&batch);
        ensure!(store.flush(PATIENCE), "the store hangs");
    }
    let cpu = (all_cpu() - all).saturating_sub(own_cpu() - own);
    let stats = store.stats();
    ensure!(stats.lost.is_empty() && stats.spans == given, "lost: {stats:?}");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{given} spans in {seconds:.1} s, with the making of them");
    println!("{:40} {:8.0}", "spans a second of CPU", given as f64 / cpu.as_secs_f64());
    println!("{:40} {:8.1}", "bytes on the disk a span", stats.bytes as f64 / given as f64);
    Ok(())
}

/// Each is done five times.
fn searches(store: &Store, spans: u64) {
    let query = || Query { limit: 20, ..Query::default() };
    let middle = shop::order(spans / 2);
    let text = |text: &str| Some(text.to_owned());
    let tag = |key: &str, value: &str| vec![(key.to_owned(), Some(value.to_owned()))];
    let queries = [
        ("the newest 20", query()),
        ("the newest 1000", Query { limit: 1000, ..query() }),
        (
            "a service, slower than 400 ms",
            Query { service: text("cart"), min_duration: Some(400_000_000), ..query() },
        ),
        ("errors of a route", Query { name: text("POST /payments/{id}"), errors: true, ..query() }),
        (
            "a service that was there once in 500000",
            Query { service: text("nightly-report"), ..query() },
        ),
        ("a service that is not there", Query { service: text("nowhere"), ..query() }),
        (
            "an attribute that one trace has",
            Query { attributes: tag("url.path", &format!("/checkout/{middle}")), ..query() },
        ),
        (
            "an attribute that none has",
            Query { attributes: tag("url.path", "/checkout/none"), ..query() },
        ),
        ("a word that one trace has", Query { text: text(&middle), ..query() }),
        ("two words and a status", Query { text: text("storefront 503"), errors: true, ..query() }),
        (
            "an hour that is long past",
            Query { from: Some(1), to: Some(3_600_000_000_000), ..query() },
        ),
    ];
    for (name, query) in queries {
        report(name, || format!("{} traces", store.snapshot().find(&query).traces.len()));
    }
    let oldest = shop::trace(0);
    let length = || store.snapshot().trace(oldest).map_or(0, |trace| trace.spans.len());
    report("the oldest trace by its id", || format!("{} spans", length()));
    let whole = || {
        let traces = store.snapshot();
        let found = traces.find(&Query { limit: 1500, ..query() }).traces;
        traces.whole_of(&found).map(|trace| trace.spans.len()).sum::<usize>()
    };
    report("1500 whole traces", || format!("{} spans", whole()));
    report("services", || format!("{} names", store.snapshot().services().len()));
    report("operations of a service", || {
        format!("{} names", store.snapshot().operations("cart").len())
    });
    report("who calls whom", || {
        format!("{} pairs", store.snapshot().dependencies(0..=u64::MAX).len())
    });
}

fn report(name: &str, mut search: impl FnMut() -> String) {
    let mut found = String::new();
    let mut times: Vec<(f64, f64)> = (0..5)
        .map(|_| {
            let (begun, cpu) = (Instant::now(), all_cpu());
            found = search();
            (milliseconds(begun.elapsed()), milliseconds(all_cpu() - cpu))
        })
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    // What else the machine does is in the first, not in the second.
    let (middle, cpu) = times.get(2).copied().unwrap_or_default();
    println!("{name:40} {middle:8.1} ms, {cpu:.1} of CPU; {found}");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn own_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

fn all_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// Bytes of memory that the process had at most.
fn peak() -> Result<u64> {
    let status = procfs::process::Process::myself()?.status()?;
    Ok(status.vmhwm.unwrap_or_default() * 1024)
}
