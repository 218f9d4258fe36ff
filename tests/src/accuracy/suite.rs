//! The accuracy suite's command line: one load, with its own runtimes and ours.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::own::Start;
use crate::{paths, ports};

/// More services than any topology has.
const SERVICES: u16 = 8;

/// One load, in the suite's words.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// Who calls whom.
    pub topology: &'a str,
    /// What the services run on.
    pub runtime: &'a str,
    /// `seq` or `par`: calls one after the other, or at once.
    pub mode: &'a str,
    /// `none`, `b3` or `w3c`: what the services pass on.
    pub headers: &'a str,
    /// Whether handlers sleep 0 to 2 ms before they call others and before they answer.
    pub timers: bool,
    /// User requests at once.
    pub concurrency: u16,
    /// User requests.
    pub roots: u16,
}

/// What one run of the suite will use and leave.
#[derive(Clone, Debug)]
pub struct Place {
    /// Ports of the services.
    pub ports: std::ops::Range<u16>,
    /// Directory of what is left: truth.json, spans.jsonl, result.json, logs.
    pub directory: PathBuf,
}

impl Load<'_> {
    /// The suite's program with this load, on ports that are free; what it leaves goes below `out`.
    /// `cache` is what [`crate::prepare::truth`] gave, and `own` has the runtimes that are not the
    /// suite's. `command` is its Python, as whoever may trace.
    pub fn arguments(
        self,
        command: &mut Command,
        cache: &Path,
        own: &BTreeMap<String, Start>,
        out: &Path,
    ) -> Result<Place> {
        command.arg(paths::service_sources().join("accuracy/more_runtimes.py"));
        let suite = paths::truth();
        let suite = fs::canonicalize(&suite).with_context(|| format!("no {}", suite.display()))?;
        command.env("TRUTH_SUITE", suite).env("TRUTH_CACHE", fs::canonicalize(cache)?);
        command.env("TRACER_UI", "off").env("TRACER_NO_STORE", "true");
        command.env("MORE_RUNTIMES", serde_json::to_string(own)?);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        // Debian keeps proxies where only root's PATH looks.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        let Load { topology, runtime, mode, headers, concurrency, .. } = self;
        command.args(["--topology", topology, "--runtime", runtime]);
        command.args(["--mode", mode, "--headers", headers, "--dump"]);
        command.args(["--concurrency", &concurrency.to_string()]);
        command.args(["--roots", &self.roots.to_string()]);
        // On a busy machine a tracer needs seconds to attach and to know who is there.
        let warmup = std::env::var("TRUTH_WARMUP").unwrap_or_else(|_| "6".to_owned());
        command.args(["--warmup", &warmup]);
        let timers = ["--work-ms", "2", "--jitter"];
        command.args(if self.timers { &timers[..] } else { &["--work-ms", "0"] });
        let first = ports::consecutive(SERVICES)?;
        command.args(["--port-base", &first.to_string()]);
        command.args(["--zipkin-port", &ports::free()?.to_string()]);
        command.args(["--otlp-port", &ports::free()?.to_string()]);
        command.args(["--out".as_ref(), out.as_os_str()]);
        let directory = out.join(format!("{topology}-{runtime}-{mode}-c{concurrency}"));
        Ok(Place { ports: first..first + SERVICES, directory })
    }
}
