//! `cargo xtask build-ebpf`

use std::fs;

use anyhow::{Context, Result};

use crate::toolchain::{TARGET, Toolchain};
use crate::{linker, step, workspace};

/// Builds the eBPF crate and puts the object where tracer-user's build script looks for it.
pub(crate) fn build_ebpf() -> Result<()> {
    let toolchain = Toolchain::find()?;
    let linker = linker::find(toolchain)?;
    let directory = workspace::root().join("target/ebpf");
    step::run(
        &format!("building the eBPF object ({toolchain:?} toolchain)"),
        toolchain
            .cargo_build(&linker)
            .args(["--release", "--package", "tracer-ebpf", "--bin", "tracer-ebpf", "--target-dir"])
            .arg(&directory),
    )?;
    let built = directory.join(TARGET).join("release/tracer-ebpf");
    let object = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let place = workspace::ebpf_object();
    // An unchanged object keeps its time stamp, so the tracer is not built again for nothing.
    if fs::read(&place).ok().as_ref() != Some(&object) {
        fs::write(&place, &object).with_context(|| format!("cannot write {}", place.display()))?;
    }
    println!("    {}: {} bytes", place.display(), object.len());
    Ok(())
}
