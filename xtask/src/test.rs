//! `cargo xtask test`

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::stage::{Outcome, Stages};
use crate::{build_ebpf, fuzz, install, prepare, run, step, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// Run this part alone, with what it needs
    #[arg(long, value_name = "NAME")]
    only: Option<Part>,
    /// Of the end-to-end tests and the accuracy suite, only those whose name contains this
    #[arg(last = true)]
    filter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting
    Format,
    /// Clippy, warnings being errors
    Clippy,
    /// Unit tests
    Unit,
    /// Recorded input through the whole pipeline
    Replay,
    /// Inputs made up by libFuzzer, each target for a bounded time
    Fuzz,
    /// The built tracer, real services, Zipkin and Jaeger; as root
    E2e,
    /// The accuracy suite; as root
    Truth,
}

/// Runs the stages, all of them even if one fails.
pub(crate) fn test(options: &Options) -> Result<()> {
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut stages = Stages::default();
    if wanted(Part::Format) {
        stages.run("format", format);
    }
    if [Part::Clippy, Part::Unit, Part::Replay, Part::Fuzz].into_iter().any(wanted) {
        // tracer-user embeds the object, so not even clippy can do without it.
        stages.run("ebpf", build_ebpf::build_ebpf);
    }
    if wanted(Part::Clippy) {
        stages.run("clippy", clippy);
        stages.run("clippy-ebpf", clippy_ebpf);
    }
    if wanted(Part::Unit) {
        stages.run("unit", unit);
    }
    if wanted(Part::Replay) {
        if workspace::root().join("tracer-user/tests").is_dir() {
            stages.run("replay", || {
                // The second: edges of the accuracy suite's loads.
                all([["-p", "tracer-user", "--test", "*"], ["-p", "tests", "--test", "accuracy"]]
                    .map(|tests| cargo_test(&tests)))
            });
        } else {
            stages.without("replay", Outcome::Skipped("there are no recordings yet".to_owned()));
        }
    }
    if wanted(Part::Fuzz) {
        stages.run("fuzz", fuzz::all);
    }
    if wanted(Part::E2e) || wanted(Part::Truth) {
        as_root(&mut stages, options, wanted(Part::E2e), wanted(Part::Truth));
    }
    stages.finish()
}

fn format() -> Result<()> {
    step::run("cargo fmt --check", workspace::cargo().args(["fmt", "--all", "--", "--check"]))
}

fn clippy() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--workspace", "--exclude", "tracer-ebpf", "--all-targets"]);
    step::run("clippy", cargo.args(["--", "--deny", "warnings"]))
}

/// Clippy of the eBPF crate on the host's target: nothing is linked, so it needs neither `core`
/// for the eBPF target nor a linker for it.
fn clippy_ebpf() -> Result<()> {
    let arch = format!("--cfg=bpf_target_arch=\"{}\"", std::env::consts::ARCH);
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--package", "tracer-ebpf", "--target-dir"]);
    // Other flags than the rest of the workspace has, so another place: the two would take turns
    // in building everything again.
    cargo.arg(workspace::root().join("target/ebpf-clippy"));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", [&*arch, "-Cpanic=abort"].join("\x1f"));
    step::run("clippy of the eBPF crate", cargo.args(["--", "--deny", "warnings"]))
}

fn unit() -> Result<()> {
    let crates = ["-p", "tracer-common", "-p", "tracer-user", "-p", "xtask", "-p", "tests"];
    all([
        cargo_test(&[&crates[..], &["--lib", "--bins"]].concat()),
        // What the fuzz targets start from, and all that ever broke something.
        cargo_test(&["-p", "fuzz", "--lib"]),
        cargo_test(&["-p", "tracer-common", "-p", "tracer-user", "--doc"]),
    ])
}

/// Whether all went well, or everything that did not.
fn all<const N: usize>(results: [Result<()>; N]) -> Result<()> {
    let wrong = results.into_iter().filter_map(Result::err).map(|error| format!("{error:#}"));
    let wrong = wrong.collect::<Vec<_>>().join("\n");
    if wrong.is_empty() { Ok(()) } else { bail!(wrong) }
}

fn cargo_test(arguments: &[&str]) -> Result<()> {
    step::test("cargo test", workspace::cargo().args(["test", "--no-fail-fast"]).args(arguments))
}

/// The stages that need the built tracer, its kernel and its rights.
fn as_root(stages: &mut Stages, options: &Options, e2e: bool, truth: bool) {
    if let Err(why) = can_trace() {
        for (name, wanted) in [("e2e", e2e), ("truth", truth)] {
            if wanted {
                stages.without(name, Outcome::Skipped(format!("{why:#}")));
            }
        }
        return;
    }
    let built = stages.run("release", || run::build().map(drop));
    let mut programs = Vec::new();
    let ready = stages.run("prepare", || {
        programs = self::programs()?;
        if e2e {
            prepare::services()?;
            prepare::backends()?;
        }
        Ok(())
    });
    let blocked = || Outcome::Blocked("a stage before it failed".to_owned());
    if e2e && built && ready {
        stages.run("e2e", || {
            // Each of them, even if one before it fails.
            let names = [
                "alpn",
                "backends",
                "brokers",
                "capture",
                "databases",
                "goroutines",
                "h2",
                "mesh",
                "page",
                "proxies",
                "sockets",
                "tasks",
                "tls",
                "tokio_tasks",
                "traces",
                "websocket",
                "instrumented",
            ];
            all(names.map(|name| run_tests(&programs, name, options.filter.as_deref())))
        });
    } else if e2e {
        stages.without("e2e", blocked());
    }
    if truth && !e2e::paths::truth().join("truth.py").is_file() {
        let why = format!("no accuracy suite at {}", e2e::paths::truth().display());
        // It is no part of the checkout; where CI runs, it is always beside it.
        let ci = std::env::var_os("CI").is_some();
        stages.without("truth", if ci { Outcome::Blocked(why) } else { Outcome::Skipped(why) });
    } else if truth && built && ready {
        stages.run("truth", || {
            prepare::truth()?;
            run_tests(&programs, "truth", options.filter.as_deref())
        });
    } else if truth {
        stages.without("truth", blocked());
    }
}

/// Whether the tracer can run here at all.
fn can_trace() -> Result<()> {
    if !install::is_root() && install::program("sudo").is_none() {
        bail!("neither root nor sudo");
    }
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    if !at_least(&release, (6, 3)) {
        bail!("kernel {} is older than 6.3", release.trim());
    }
    if !Path::new("/sys/kernel/btf/vmlinux").is_file() {
        bail!("the kernel has no BTF");
    }
    Ok(())
}

fn at_least(release: &str, least: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= least
}

/// The end-to-end tests' programs, by name: built as the user, to be run as root.
pub(crate) fn programs() -> Result<Vec<(String, PathBuf)>> {
    built(&["test", "--no-run", "--package", "tests"])
}

/// The test programs and benchmarks that cargo builds with these arguments, by name.
pub(crate) fn built(arguments: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    let mut cargo = workspace::cargo();
    cargo.args(arguments).args(["--message-format", "json"]);
    let messages =
        step::output(&mut cargo).with_context(|| format!("{} failed", step::line(&cargo)))?;
    Ok(messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let name = message.pointer("/target/name")?.as_str()?.to_owned();
            let is_test = matches!(message.pointer("/target/kind/0")?.as_str()?, "test" | "bench");
            let program = message.get("executable")?.as_str()?;
            is_test.then(|| (name, PathBuf::from(program)))
        })
        .collect())
}

/// The one of them with this name.
pub(crate) fn program<'a>(programs: &'a [(String, PathBuf)], name: &str) -> Result<&'a Path> {
    let found = programs.iter().find(|(program, _)| program == name);
    Ok(&found.with_context(|| format!("cargo built no test program {name}"))?.1)
}

fn run_tests(programs: &[(String, PathBuf)], name: &str, filter: Option<&str>) -> Result<()> {
    let mut command: Command = install::as_root(program(programs, name)?);
    step::test(name, command.args(filter).current_dir(workspace::root()))
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn compares_kernel_releases() {
        for release in ["6.3.0", "6.18.44-fc-v657\n", "7.0"] {
            assert!(at_least(release, (6, 3)), "{release}");
        }
        for release in ["6.2.16", "5.15.0-91-generic", "", "unknown"] {
            assert!(!at_least(release, (6, 3)), "{release}");
        }
    }
}
