//! The tracer beside the programs that it watches.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tests::process::{self, Process};
use tests::tracer::Tracer;
use tests::{paths, ports};

use crate::export::{self, Span};

/// How long a script's cases may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) spans: Vec<Span>,
    /// The tracer's lines at its end.
    pub(crate) summary: String,
    /// What the script wrote to standard output.
    pub(crate) notes: String,
}

impl Seen {
    /// When the script noted this, in nanoseconds since the Unix epoch.
    pub(crate) fn noted(&self, name: &str) -> Result<u64> {
        let mut lines = self.notes.lines().filter_map(|line| line.split_once(' '));
        let (_, time) = lines.find(|line| line.0 == name).with_context(|| name.to_owned())?;
        Ok(time.parse()?)
    }
}

/// A tracer that writes to a file.
#[derive(Debug)]
pub(crate) struct ToFile {
    pub(crate) tracer: Tracer,
    pub(crate) file: PathBuf,
}

impl ToFile {
    /// Starts it with these flags. `name` names its files.
    pub(crate) fn start(name: &str, flags: &[&str]) -> Result<ToFile> {
        let mut command = Command::new(paths::tracer());
        ToFile::spawn(name, command.args(flags))
    }

    /// The same with a command, to which the export is added.
    pub(crate) fn spawn(name: &str, command: &mut Command) -> Result<ToFile> {
        let file = fresh(name)?;
        command.arg("--export").arg(format!("file={}", file.display()));
        // Of the environment only what a test sets itself.
        command.env_remove("RUST_LOG").args(["--settle", "100ms"]);
        Ok(ToFile { tracer: Tracer::spawn(&format!("tracer-{name}"), command)?, file })
    }

    /// Stops it and reads what it wrote.
    pub(crate) fn stop(self) -> Result<Seen> {
        let ended = self.tracer.stop()?;
        ensure!(ended.status.success(), "{}: {}", ended.status, ended.summary);
        let spans = export::read(&self.file)?;
        Ok(Seen { spans, summary: ended.summary, notes: String::new() })
    }
}

/// A path at which there is no file.
pub(crate) fn fresh(name: &str) -> Result<PathBuf> {
    fs::create_dir_all(paths::logs())?;
    let file = paths::logs().join(format!("capture-{name}.jsonl"));
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(file),
    }
}

/// The script's command: see `tests/services/sockets/__main__.py`.
pub(crate) fn script(module: &str, address: &str, port: u16, cases: &[&str]) -> Command {
    let mut python = Command::new("python3");
    python.arg("-B").arg(paths::service_sources().join("sockets"));
    python.args([module, address, &port.to_string()]).args(cases);
    python
}

/// Runs cases under a tracer that sees nothing but them.
pub(crate) fn traced(name: &str, module: &str, address: &str, cases: &[&str]) -> Result<Seen> {
    let port = ports::free()?;
    let tracer = ToFile::start(name, &["--port", &port.to_string()])?;
    let notes = process::run(name, &mut script(module, address, port, cases))?;
    Ok(Seen { notes, ..tracer.stop()? })
}

/// Runs cases that begin before the tracer does.
pub(crate) fn traced_late(name: &str, cases: &[&str]) -> Result<Seen> {
    let port = ports::free()?;
    let mut started = Process::start(name, &mut script("before", "127.0.0.1", port, cases))?;
    started.wait_for("both sides", LIMIT, |process| {
        let waiting = process.log().matches("waiting").count();
        ensure!(waiting == 2, "{waiting} sides are waiting");
        Ok(())
    })?;
    let tracer = ToFile::start(name, &["--port", &port.to_string()])?;
    started.signal(Signal::USR1)?;
    let status = started.wait(LIMIT)?;
    ensure!(status.success(), "{status}: {}", started.log());
    tracer.stop()
}
