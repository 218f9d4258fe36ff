//! Runs the accuracy suite for one cell.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use e2e::accuracy::{Start, Tally};
use e2e::{paths, ports};

use super::cell::{Cell, Work, value};
use super::dump;
use super::results::Measured;
use super::runtimes::{self, Source};
use crate::{install, prepare};

/// More services than any topology has.
const SERVICES: u16 = 8;
/// Python of the suite's own environment needs these whatever is measured.
const ALWAYS: [&str; 2] = ["python", "go"];

/// The suite, with what the runtimes need.
pub(super) struct Suite {
    cache: PathBuf,
    own: BTreeMap<String, Start>,
    /// Further arguments of the tracer.
    tracer: Vec<String>,
    roots: u16,
}

impl Suite {
    /// Gets everything ready that these runtimes need.
    pub(super) fn prepare(runtimes: &[String], tracer: &[String], roots: u16) -> Result<Suite> {
        let script = paths::truth().join("truth.py");
        ensure!(
            script.is_file(),
            "no accuracy suite at {}: it is no part of the checkout; TRUTH_SUITE says where it is",
            script.display()
        );
        ensure!(
            install::is_root() || install::program("sudo").is_some(),
            "tracing needs root, and there is no sudo"
        );
        let (mut parts, mut own) = (ALWAYS.to_vec(), BTreeMap::new());
        for runtime in runtimes.iter().filter_map(|name| runtimes::find(name)) {
            match runtime.source {
                Source::Suite(part) => parts.push(part),
                Source::Own(service) => {
                    install::programs(service.programs(), runtime.name)?;
                    let start = prepare::thing(runtime.name, || service.start())?;
                    own.insert(runtime.name.to_owned(), start);
                }
            }
        }
        parts.sort_unstable();
        parts.dedup();
        if parts.contains(&"node") {
            install::programs(&[("node", "nodejs"), ("npm", "npm")], "the accuracy suite")?;
        }
        let cache = prepare::thing("the accuracy suite", || e2e::prepare::truth(&parts))?;
        Ok(Suite { cache, own, tracer: tracer.to_vec(), roots })
    }

    /// Runs one cell.
    ///
    /// # Errors
    /// With the end of what the suite said, if it could not make the run.
    pub(super) fn measure(&self, cell: &Cell) -> Result<Measured> {
        let out = paths::logs().join("accuracy");
        let first = ports::consecutive(SERVICES)?;
        let mut command = self.command(cell, first)?;
        command.args(["--out".as_ref(), out.as_os_str()]);
        let output = command.stdin(Stdio::null()).output().context("cannot start the suite")?;
        ensure!(output.status.signal().is_none(), "the suite ended with {}", output.status);
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("{}: {}", output.status, String::from_utf8_lossy(&said).trim());
        }
        // As the suite names it.
        let Cell { topology, runtime, concurrency, mode, .. } = cell;
        let run = out.join(format!("{topology}-{runtime}-{}-c{concurrency}", value(mode)));
        let (edges, bad_roots) = dump::edges(&run, &(first..first + SERVICES))?;
        let log = fs::read_to_string(run.join("tracer.log")).unwrap_or_default();
        let losses = log.lines().filter(|line| line.starts_with("lost:"));
        let losses = losses.filter(|line| *line != "lost: nothing").map(str::to_owned).collect();
        let tally = Tally::of(&edges);
        ensure!(tally.roots > 0, "no user request was answered");
        Ok(Measured { cell: cell.clone(), tally, bad_roots, losses })
    }

    fn command(&self, cell: &Cell, port: u16) -> Result<Command> {
        let launcher = paths::service_sources().join("accuracy/more_runtimes.py");
        let mut truth = install::as_root(self.cache.join("venv/bin/python"));
        truth.arg(launcher);
        truth.env("TRUTH_SUITE", fs::canonicalize(paths::truth())?);
        truth.env("TRUTH_CACHE", fs::canonicalize(&self.cache)?);
        truth.env("MORE_RUNTIMES", serde_json::to_string(&self.own)?);
        truth.env("PYTHONDONTWRITEBYTECODE", "1");
        truth.args(["--topology", &cell.topology, "--runtime", &cell.runtime]);
        truth.args(["--mode", &value(&cell.mode), "--headers", &value(&cell.headers)]);
        truth.args(["--concurrency", &cell.concurrency.to_string()]);
        truth.args(["--roots", &self.roots.to_string(), "--dump"]);
        match cell.work {
            Work::None => truth.args(["--work-ms", "0"]),
            Work::Timers => truth.args(["--work-ms", "2", "--jitter"]),
        };
        truth.args(["--port-base", &port.to_string()]);
        truth.args(["--zipkin-port", &ports::free()?.to_string()]);
        truth.args(["--otlp-port", &ports::free()?.to_string()]);
        let tracer = paths::tracer();
        let tracer = tracer.to_str().context("the tracer's path is no text")?;
        let rest = self.tracer.iter().map(|word| format!(" '{word}'")).collect::<String>();
        let tracer = format!("'{tracer}' --min-confidence 0{rest} --export zipkin={{zipkin}}");
        truth.args(["--tracer", &tracer]);
        Ok(truth)
    }
}
