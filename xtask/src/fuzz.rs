//! `cargo xtask fuzz`: libFuzzer on stable Rust.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;

use crate::{install, step, workspace};

/// The programs of `tests/fuzz`, the longest input of each, and how many inputs it tries as a test.
/// A number and a seed instead of a time: the test tries the same inputs every time and everywhere,
/// some 20 s of them all at once on two cores. What has not been found yet is looked for with
/// `cargo xtask fuzz`.
const TARGETS: [(&str, u32, u32); 19] = [
    ("http1", 1024, 400_000),
    ("http1_split", 1024, 100_000),
    ("http2", 1024, 200_000),
    ("hpack", 1024, 200_000),
    ("websocket", 1024, 200_000),
    ("redis", 1024, 60_000),
    ("postgresql", 1024, 60_000),
    ("mysql", 1024, 60_000),
    ("mongodb", 1024, 60_000),
    ("memcached", 1024, 60_000),
    ("kafka", 1024, 60_000),
    ("dns", 1024, 60_000),
    ("amqp", 1024, 60_000),
    ("headers", 512, 800_000),
    ("tls", 1024, 300_000),
    ("btf", 4096, 150_000),
    ("records", 1024, 40_000),
    ("pcap", 2048, 80_000),
    ("recording", 2048, 18_000),
];
/// What is compiled in: where the code goes and what it compares, as cargo-fuzz does it, without the
/// sanitizers, which only a nightly compiler has; and every check that a debug build makes.
const COVERAGE: [&str; 8] = [
    "--cfg=fuzzing",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

#[derive(Args)]
pub(crate) struct Options {
    /// Which target: http1, http1_split, http2, hpack, websocket, redis, postgresql, mysql, mongodb,
    /// memcached, kafka, dns, amqp, headers, tls, btf, records, pcap, recording
    target: String,
    /// Arguments of libFuzzer: an input to run again, or flags such as -max_total_time=60
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs one target until it is interrupted or finds something.
pub(crate) fn fuzz(options: &Options) -> Result<()> {
    let known = TARGETS.iter().find(|(name, ..)| *name == options.target);
    let names = TARGETS.map(|(name, ..)| name).join(", ");
    let (name, max_len, _) = known.with_context(|| format!("no such target; there are {names}"))?;
    let mut command = build()?.command("corpus", name, *max_len)?;
    // Files instead of directories: they are run once each.
    if options.arguments.iter().any(|argument| !argument.starts_with('-')) {
        command = Command::new(command.get_program());
    }
    step::run(name, command.args(&options.arguments))
}

/// Runs every target for a while; an input that breaks something is printed.
pub(crate) fn all() -> Result<()> {
    let built = build()?;
    // Beginning with the checkout's inputs alone.
    let found = built.work.join("tested");
    if found.exists() {
        fs::remove_dir_all(&found)?;
    }
    let running: Vec<(&str, Child)> = TARGETS
        .iter()
        .map(|(name, max_len, runs)| {
            let log = fs::File::create(built.log(name))?;
            let mut command = built.command("tested", name, *max_len)?;
            command.arg("-seed=1").arg(format!("-runs={runs}"));
            let child = command.stdout(log.try_clone()?).stderr(log).spawn();
            Ok((*name, child.with_context(|| format!("cannot start {name}"))?))
        })
        .collect::<Result<_>>()?;
    // Each is waited for, whatever became of the others.
    let ended: Vec<(&str, ExitStatus)> = running
        .into_iter()
        .map(|(name, mut child)| Ok((name, child.wait()?)))
        .collect::<Result<_>>()?;
    let broken: Vec<&str> = ended
        .into_iter()
        .filter_map(|(name, status)| {
            built.tell(name, status);
            (!status.success()).then_some(name)
        })
        .collect();
    ensure!(broken.is_empty(), "inputs that break {}: see above", broken.join(", "));
    Ok(())
}

/// The built programs, and where they leave things.
struct Built {
    programs: PathBuf,
    work: PathBuf,
}

/// Only the crates of this workspace are compiled with these flags: the others stay those of the
/// release build, which takes minutes.
fn build() -> Result<Built> {
    install::programs(&[("c++", "g++")], "libFuzzer")?;
    let target = workspace::root().join("target");
    let work = target.join("fuzz");
    fs::create_dir_all(work.join("found"))?;
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "fuzz", "--bins", "--features", "link", "--release"]);
    cargo.arg("--target-dir").arg(&target).env("RUSTC_WORKSPACE_WRAPPER", compiler(&work)?);
    step::run("building the fuzz targets", &mut cargo)?;
    Ok(Built { programs: target.join("release"), work })
}

/// A compiler with the flags, but not for build scripts, which do not link libFuzzer.
fn compiler(work: &Path) -> Result<PathBuf> {
    let path = work.join("compiler");
    let flags = COVERAGE.join(" ");
    let text = format!(
        "#!/bin/sh\ncase \" $* \" in\n*' build_script_build '*) exec \"$@\" ;;\nesac\n\
         exec \"$@\" {flags}\n"
    );
    // Written only if it changed: Cargo looks at its time stamp.
    if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
        fs::write(&path, &text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(path)
}

impl Built {
    /// With what was found before (it is kept in `found`), and the inputs of the checkout.
    fn command(&self, found: &str, name: &str, max_len: u32) -> Result<Command> {
        let found = self.work.join(found).join(name);
        fs::create_dir_all(&found)?;
        let mut command = Command::new(self.programs.join(name));
        command.arg(found).arg(workspace::root().join("tests/fuzz/corpus").join(name));
        command.arg(format!("-artifact_prefix={}/", self.work.join("found").display()));
        command.arg(format!("-max_len={max_len}"));
        command.args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]);
        Ok(command)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.work.join(format!("{name}.log"))
    }

    /// One line if all is well; else the end of the log, and the input that did it.
    fn tell(&self, name: &str, status: ExitStatus) {
        let bytes = fs::read(self.log(name)).unwrap_or_default();
        let log = String::from_utf8_lossy(&bytes);
        if status.success() {
            let number = |key: &str| {
                let line = log.lines().rev().find_map(|line| line.strip_prefix(key));
                line.map_or("?", str::trim).to_owned()
            };
            let runs = number("stat::number_of_executed_units:");
            println!("    {name}: {runs} runs, {}", coverage(&log));
            return;
        }
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
        println!("{}\n{name}: {status}", last.join("\n"));
        let written = |line: &&str| line.contains("Test unit written to ");
        let file = lines.iter().rfind(|line| written(line)).and_then(|line| {
            line.split_once("Test unit written to ").map(|(_, file)| Path::new(file.trim()))
        });
        match file.map(fs::read) {
            Some(Ok(input)) => println!(
                "the input: {}\nto run it again: echo INPUT | base64 -d > input; \
                 cargo xtask fuzz {name} -- input",
                BASE64_STANDARD.encode(input)
            ),
            _ => println!("no input was written"),
        }
    }
}

/// How many edges and comparisons were reached: `cov: 12 ft: 34` of libFuzzer's last line.
fn coverage(log: &str) -> String {
    let line = log.lines().rev().find(|line| line.contains(" cov: ")).unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |key: &str| {
        let at = words.iter().position(|word| *word == key).map(|at| at + 1);
        at.and_then(|at| words.get(at)).copied().unwrap_or("?")
    };
    format!("{} edges, {} features", after("cov:"), after("ft:"))
}
