//! System packages: what is there, what is to be had, and getting the rest.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Result, bail};

use crate::step;

/// A command that runs as root: through sudo where we are somebody else. `-E` keeps the
/// environment, which configures the tracer and the tests.
pub(crate) fn as_root(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut path = std::ffi::OsString::from("PATH=");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new("sudo");
    // `secure_path` takes precedence over `-E`, and hides what the user has put into PATH.
    command.args(["-E", "env"]).arg(path).arg(program);
    command
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Finds a program as a shell would, and in the system directories that `PATH` often lacks.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// Installs a package for each program that is missing: `(program, package)`.
pub(crate) fn programs(wanted: &[(&str, &str)], why: &str) -> Result<()> {
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(name, _)| program(name).is_none())
        .map(|(_, package)| *package)
        .collect();
    packages(&missing, why)
}

/// Installs those of `packages` that are not installed; says so before.
pub(crate) fn packages(packages: &[&str], why: &str) -> Result<()> {
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !update() {
        bail!("{why} needs the packages {}: install them, then run this again", missing.join(" "));
    }
    println!("{why} needs packages that are missing: {}", missing.join(" "));
    step::run(
        &format!("installing {}", missing.join(" ")),
        as_root("env")
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"])
            .args(["-o", "DPkg::Lock::Timeout=300", "--no-install-recommends", "install"])
            .args(&missing),
    )
}

/// Installs a package, if it is not installed, whose service of the same name is not to run.
pub(crate) fn package_without_service(package: &str, why: &str) -> Result<()> {
    if installed(package) {
        return Ok(());
    }
    packages(&[package], why)?;
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(());
    }
    let mut systemctl = as_root("systemctl");
    step::run(&format!("stopping {package}"), systemctl.args(["disable", "--now", package]))
}

/// Whether every package of the list is installed or can be.
pub(crate) fn can_install(packages: &[&str]) -> bool {
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !installed(package)).collect();
    missing.is_empty() || update() && missing.iter().all(|package| candidate(package))
}

fn installed(package: &str) -> bool {
    step::output(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]))
        .is_some_and(|status| status == "installed")
}

/// `apt-cache show` also succeeds for names that other packages only mention.
fn candidate(package: &str) -> bool {
    step::output(Command::new("apt-cache").args(["policy", package])).is_some_and(|policy| {
        policy.lines().any(|line| {
            line.trim().strip_prefix("Candidate:").is_some_and(|version| version.trim() != "(none)")
        })
    })
}

/// Refreshes the package lists, once; false on a system without apt or when that fails.
fn update() -> bool {
    static UPDATED: OnceLock<bool> = OnceLock::new();
    *UPDATED.get_or_init(|| {
        program("apt-get").is_some()
            && step::run(
                "apt-get update",
                as_root("apt-get").args(["-qq", "-o", "DPkg::Lock::Timeout=300", "update"]),
            )
            .is_ok()
    })
}
