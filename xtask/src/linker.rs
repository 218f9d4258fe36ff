//! bpf-linker, at one version, for this checkout alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{install, step, toolchain::Toolchain, workspace};

const VERSION: &str = "0.13.0";

/// LLVM versions that bpf-linker 0.13.0 has a feature for, oldest first.
const LLVMS: [u32; 3] = [21, 22, 23];

/// The linker's path; builds it if neither this checkout nor `PATH` has the right version.
pub(crate) fn find(toolchain: Toolchain) -> Result<PathBuf> {
    let own = workspace::tools().join("bin/bpf-linker");
    if version(&own).as_deref() == Some(VERSION) {
        return Ok(own);
    }
    if let Some(other) = install::program("bpf-linker")
        && version(&other).as_deref() == Some(VERSION)
    {
        return Ok(other);
    }
    build(toolchain)?;
    Ok(own)
}

fn version(linker: &Path) -> Option<String> {
    let text = step::output(Command::new(linker).arg("--version"))?;
    text.split_whitespace().nth(1).map(str::to_owned)
}

fn build(toolchain: Toolchain) -> Result<()> {
    let needed = toolchain.llvm()?;
    // An LLVM reads the bitcode of older ones, never of newer ones.
    for llvm in LLVMS.into_iter().filter(|llvm| *llvm >= needed) {
        let (dev, polly) = (format!("llvm-{llvm}-dev"), format!("libpolly-{llvm}-dev"));
        let packages = [&*dev, &*polly, "libzstd-dev", "zlib1g-dev", "g++"];
        if !install::can_install(&packages) {
            continue;
        }
        install::packages(&packages, "building bpf-linker")?;
        return step::run(
            &format!("building bpf-linker {VERSION} with LLVM {llvm} (about a minute)"),
            workspace::cargo()
                .args(["install", "--quiet", "--locked", "--force", "bpf-linker"])
                .args(["--version", VERSION, "--no-default-features"])
                .args(["--features", &format!("llvm-{llvm}"), "--root"])
                .arg(workspace::tools())
                .env("LLVM_PREFIX", format!("/usr/lib/llvm-{llvm}"))
                // The user's target directory is for the user's crates.
                .env("CARGO_TARGET_DIR", workspace::tools().join("build"))
                .env_remove("RUSTC"),
        );
    }
    bail!(
        "this system's packages have no LLVM {needed} or newer to build bpf-linker with: \
         put bpf-linker {VERSION} into PATH (`cargo binstall bpf-linker@{VERSION}` does), \
         then run this again"
    )
}
