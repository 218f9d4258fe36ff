//! The built tracer, as a user starts it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::process::Process;
use crate::{paths, poll};

/// Attaching takes well under a second; a busy machine gets more.
const ATTACH: Duration = Duration::from_secs(30);
/// Stopping flushes every exporter, each for a bounded time.
const FLUSH: Duration = Duration::from_secs(40);

/// A tracer that has attached its probes.
#[derive(Debug)]
pub struct Tracer {
    process: Process,
    /// The line with which it said that it is ready.
    pub ready: String,
}

/// How a tracer ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to standard error after it was ready: the summary.
    pub summary: String,
}

impl Tracer {
    /// Starts the release binary; returns once every probe is attached. `name` names its log.
    pub fn start<S: AsRef<str>>(name: &str, arguments: &[S]) -> Result<Tracer> {
        let mut command = Command::new(paths::tracer());
        command.args(arguments.iter().map(AsRef::as_ref)).current_dir(paths::root());
        Tracer::spawn(name, &mut command)
    }

    /// The same, with a command of the caller's own.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Tracer> {
        // Several run at once. Who wants a page says where, by the flag.
        let mut process =
            Process::start(name, command.env("TRACER_UI", "off").env("TRACER_NO_STORE", "true"))?;
        let ready = process.wait_for_line("tracing:", ATTACH)?;
        Ok(Tracer { process, ready })
    }

    /// What it has written to standard output.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// What it has written to standard error, without colours.
    pub fn log(&self) -> String {
        let log = self.process.log();
        let mut parts = log.split('\u{1b}');
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = parts.map(|part| part.split_once('m').map_or("", |(_, text)| text));
        rest.fold(first, |text, part| text + part)
    }

    /// Where that is kept after its end.
    pub fn output_path(&self) -> PathBuf {
        self.process.output_path().to_owned()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Interrupts it, as Ctrl-C does, and waits for its end.
    pub fn stop(mut self) -> Result<Ended> {
        let of = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = of(self.process.pid());
        let status = self.process.stop(Signal::INT, FLUSH)?;
        // While a child of its removes uprobes, the next tracer can attach its own only slowly.
        poll::until("uprobes to be removed", FLUSH, || {
            let pids = fs::read_dir("/proc")?.flatten();
            let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            ensure!(command.is_empty() || pids.all(|pid| of(pid) != command), "still running");
            Ok(())
        })?;
        let log = self.process.log();
        let summary =
            log.split_once(&*self.ready).map_or(&*log, |(_, after)| after).trim().to_owned();
        Ok(Ended { status, summary })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_readiness_and_returns_the_summary() {
        let script = "trap 'echo spans: 3 >&2; exit 0' INT; echo warning >&2; \
                      echo tracing: 2 probes >&2; while :; do sleep 0.05; done";
        let tracer = Tracer::spawn("test-tracer", Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!(tracer.ready, "tracing: 2 probes");
        let ended = tracer.stop().unwrap();
        assert_eq!((ended.status.code(), &*ended.summary), (Some(0), "spans: 3"));
    }

    #[test]
    fn a_tracer_that_cannot_start_is_an_error() {
        let script = "echo 'error: needs root' >&2; exit 1";
        let error =
            Tracer::spawn("test-tracer-fail", Command::new("sh").args(["-c", script])).unwrap_err();
        assert!(format!("{error:#}").contains("needs root"));
    }
}
