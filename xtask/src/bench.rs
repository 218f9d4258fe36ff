//! `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{build_ebpf, install, run, step, test, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// Recordings of `tracer record` to measure with [default: those in tests/recordings]
    recordings: Vec<PathBuf>,
    /// Spans to fill a store with, to be searched then [default: a million]
    ///
    /// Ten million take minutes, and about 1 GB of disk meanwhile.
    #[arg(long, value_name = "N")]
    store_spans: Option<u64>,
    /// Leave that store where it is, for a tracer to show
    #[arg(long)]
    keep_store: bool,
}

/// Runs the benchmarks; they print what they measure.
pub(crate) fn bench(options: &Options) -> Result<()> {
    build_ebpf::build_ebpf()?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--package", "tracer-user", "--bench", "stages", "--"]);
    for recording in &options.recordings {
        let path = recording.canonicalize();
        cargo.arg(path.with_context(|| recording.display().to_string())?);
    }
    step::run("measuring the stages", &mut cargo)?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--package", "tracer-user", "--bench", "http2"]);
    step::run("measuring HTTP/2", &mut cargo)?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--package", "tracer-user", "--bench", "backing"]);
    step::run("measuring the protocols of databases", &mut cargo)?;
    bystanders()?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--package", "tracer-user", "--bench", "store", "--"]);
    if let Some(spans) = options.store_spans {
        cargo.arg("--spans").arg(spans.to_string());
    }
    if options.keep_store {
        cargo.arg("--keep");
    }
    step::run("measuring the store", &mut cargo)
}

/// Programs that are traced beside others; as root.
fn bystanders() -> Result<()> {
    run::build()?;
    let programs = [("redis-server", "redis-server"), ("redis-benchmark", "redis-tools")];
    install::programs(&programs, "measuring what bystanders lose")?;
    let bench = test::built(&["bench", "--no-run", "--package", "tests", "--bench", "bystanders"])?;
    let mut bench = install::as_root(test::program(&bench, "bystanders")?);
    step::run("measuring what bystanders lose", bench.current_dir(workspace::root()))
}
