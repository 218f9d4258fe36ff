//! `cargo xtask run [-- ARGS]`

use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{build_ebpf, install, step, workspace};

/// Builds the tracer and becomes it; returns only on failure.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let tracer = build()?;
    let mut command = install::as_root(&tracer);
    command.args(arguments);
    println!("==> {}", step::line(&command));
    Err(command.exec()).with_context(|| format!("cannot start {}", step::line(&command)))
}

/// Builds the release binary, with the eBPF object in it; returns its path.
pub(crate) fn build() -> Result<PathBuf> {
    install::programs(&[("cc", "gcc")], "building the tracer")?;
    build_ebpf::build_ebpf()?;
    step::run(
        "building the tracer",
        workspace::cargo().args(["build", "--release", "--package", "tracer-user"]),
    )?;
    Ok(e2e::paths::tracer())
}
