//! `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{build_ebpf, step, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// Recordings of `tracer record` to measure with [default: those in tests/recordings]
    recordings: Vec<PathBuf>,
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
    step::run("measuring", &mut cargo)
}
