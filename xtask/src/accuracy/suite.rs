//! Runs the accuracy suite for one cell.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use e2e::accuracy::{Load, Start};
use e2e::paths;

use super::cell::{Cell, Work, value};
use super::kept::{self, EVERY, Kept, RECORDING};
use super::results::Measured;
use super::runtimes::{self, Source};
use crate::{install, prepare};

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
        ensure!(
            install::is_root() || install::program("sudo").is_some(),
            "tracing needs root, and there is no sudo"
        );
        let (mut parts, mut own) = (ALWAYS.to_vec(), vec![]);
        for runtime in runtimes.iter().filter_map(|name| runtimes::find(name)) {
            match runtime.source {
                Source::Suite(part) => parts.push(part),
                Source::Own(service) => own.push((runtime.name, service)),
            }
        }
        parts.sort_unstable();
        parts.dedup();
        let (cache, own) = prepare::accuracy(&parts, &own)?;
        Ok(Suite { cache, own, tracer: tracer.to_vec(), roots })
    }

    /// Runs one cell.
    ///
    /// # Errors
    /// With the end of what the suite said, if it could not make the run.
    pub(super) fn measure(&self, cell: &Cell) -> Result<Measured> {
        let load = Load {
            topology: &cell.topology,
            runtime: &cell.runtime,
            mode: &value(&cell.mode),
            headers: &value(&cell.headers),
            timers: cell.work == Work::Timers,
            concurrency: cell.concurrency,
            roots: self.roots,
        };
        let mut truth = install::as_root(self.cache.join("venv/bin/python"));
        let place = load.arguments(&mut truth, &self.cache, &self.own, &kept::place(cell))?;
        truth.args(["--tracer", &self.tracer()?]);
        let output = truth.stdin(Stdio::null()).output().context("cannot start the suite")?;
        ensure!(output.status.signal().is_none(), "the suite ended with {}", output.status);
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("{}: {}", output.status, String::from_utf8_lossy(&said).trim());
        }
        let kept = Kept::keep(place.directory, place.ports)?;
        let measured = kept.score(cell)?;
        kept.tidy()?;
        Ok(measured)
    }

    /// The tracer's command line, in the suite's words.
    fn tracer(&self) -> Result<String> {
        let tracer = paths::tracer();
        let tracer = tracer.to_str().context("the tracer's path is no text")?;
        let more = self.tracer.iter().map(|word| format!(" '{word}'")).collect::<String>();
        let record = format!("'{tracer}' record {{out}}/{RECORDING} --force");
        Ok(format!("{record} --min-confidence {EVERY}{more} --export zipkin={{zipkin}}"))
    }
}
