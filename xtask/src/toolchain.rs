//! Which compiler can build for `bpfel-unknown-none`.
//!
//! rustup ships no prebuilt `core` for that target, so it takes a nightly that builds `core` from
//! `rust-src`; or Debian's `rustc-web`, for which Debian packages a prebuilt `core`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{install, step, workspace};

/// The target of the eBPF crate.
pub(crate) const TARGET: &str = "bpfel-unknown-none";

/// Debian's compiler; rustup's come first in `PATH`, so it is named in full.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "libstd-rust-web-dev-bpf"];

/// A compiler that can build the eBPF crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// rustup's nightly, with `rust-src`.
    Nightly,
    /// Debian's compiler, with a prebuilt `core`.
    Debian,
}

impl Toolchain {
    /// Takes what is there, else installs what can be had.
    pub(crate) fn find() -> Result<Toolchain> {
        if nightly_has_source() {
            return Ok(Toolchain::Nightly);
        }
        if debian_has_core() {
            return Ok(Toolchain::Debian);
        }
        if install::can_install(&DEBIAN_PACKAGES) {
            install::packages(&DEBIAN_PACKAGES, "building the eBPF object")?;
            if debian_has_core() {
                return Ok(Toolchain::Debian);
            }
        }
        if install::program("rustup").is_some() {
            add_nightly_source()?;
            return Ok(Toolchain::Nightly);
        }
        bail!(
            "no compiler for {TARGET}: install rustup, then `rustup toolchain install nightly \
             --component rust-src`; or Debian's packages {}",
            DEBIAN_PACKAGES.join(" ")
        )
    }

    /// `cargo build` for the eBPF target with this compiler, linking with `linker`.
    pub(crate) fn cargo_build(self, linker: &Path) -> Command {
        let flags = [
            // aya-ebpf lays out `pt_regs` of the machine that the object will run on.
            format!("--cfg=bpf_target_arch=\"{}\"", std::env::consts::ARCH),
            "-Cdebuginfo=2".to_owned(),
            "-Clink-arg=--btf".to_owned(),
            format!("-Clinker={}", linker.display()),
        ];
        let mut cargo = match self {
            Toolchain::Nightly => {
                let mut cargo = nightly("cargo");
                cargo.args(["build", "-Z", "build-std=core"]);
                cargo
            }
            Toolchain::Debian => {
                let mut cargo = workspace::cargo();
                cargo.arg("build").env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
                cargo
            }
        };
        cargo
            .current_dir(workspace::root())
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
            .args(["--target", TARGET]);
        cargo
    }

    /// Major version of the LLVM whose bitcode this compiler writes.
    pub(crate) fn llvm(self) -> Result<u32> {
        let mut rustc = match self {
            Toolchain::Nightly => nightly("rustc"),
            Toolchain::Debian => Command::new(DEBIAN_RUSTC),
        };
        let version = step::output(rustc.arg("-vV")).context("rustc -vV failed")?;
        llvm_version(&version).context("rustc -vV names no LLVM version")
    }
}

/// A program of rustup's nightly, whatever toolchain we were ourselves started with.
fn nightly(program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", program]).env_remove("RUSTC").env_remove("CARGO");
    command
}

fn llvm_version(rustc_version: &str) -> Option<u32> {
    let version = rustc_version.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()?.trim().parse().ok()
}

fn nightly_has_source() -> bool {
    step::output(nightly("rustc").args(["--print", "sysroot"])).is_some_and(|sysroot| {
        Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file()
    })
}

fn debian_has_core() -> bool {
    let directory = step::output(Command::new(DEBIAN_RUSTC).args([
        "--print",
        "target-libdir",
        "--target",
        TARGET,
    ]));
    directory.and_then(|path| std::fs::read_dir(path.trim()).ok()).is_some_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

fn add_nightly_source() -> Result<()> {
    let listed =
        step::output(Command::new("rustup").args(["component", "list", "--toolchain", "nightly"]));
    let mut rustup = Command::new("rustup");
    match listed {
        Some(components) if components.lines().any(|line| line.starts_with("rust-src")) => {
            rustup.args(["component", "add", "rust-src", "--toolchain", "nightly"]);
        }
        _ => {
            rustup.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
            rustup.args(["--component", "rust-src"]);
        }
    }
    step::run("installing rustup's nightly with rust-src", &mut rustup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_llvm_version() {
        let text = "rustc 1.96.0\nbinary: rustc\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        assert_eq!(llvm_version(text), Some(22));
        assert_eq!(llvm_version("rustc 1.96.0\n"), None);
        assert_eq!(llvm_version("LLVM version: x\n"), None);
    }

    #[test]
    fn the_object_has_btf_and_the_given_linker() {
        for toolchain in [Toolchain::Nightly, Toolchain::Debian] {
            let command = toolchain.cargo_build(Path::new("/some/bpf-linker"));
            let flags = command
                .get_envs()
                .find(|(key, _)| *key == "CARGO_ENCODED_RUSTFLAGS")
                .and_then(|(_, value)| value.map(|value| value.to_string_lossy().into_owned()))
                .unwrap();
            let flags: Vec<&str> = flags.split('\x1f').collect();
            assert!(flags.contains(&"-Clink-arg=--btf"));
            assert!(flags.contains(&"-Clinker=/some/bpf-linker"));
        }
    }
}
