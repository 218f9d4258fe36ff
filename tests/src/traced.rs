//! The tracer writing to a file beside the programs that it watches.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::export::{self, Span};
use crate::paths;
use crate::process::Process;
use crate::tracer::Tracer;

/// How long a script's cases may take.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Starts a server that writes `ready` to standard output when it listens.
pub fn serve(name: &str, mut command: Command) -> Result<Process> {
    let mut process = Process::start(name, &mut command)?;
    process.wait_for("ready", LIMIT, |process| {
        ensure!(process.output().contains("ready\n"), "not ready");
        Ok(())
    })?;
    Ok(process)
}

/// What came of a run.
#[derive(Debug)]
pub struct Seen {
    /// What it exported.
    pub spans: Vec<Span>,
    /// The tracer's lines at its end.
    pub summary: String,
    /// What the script wrote to standard output.
    pub notes: String,
}

impl Seen {
    /// When the script noted this, in nanoseconds since the Unix epoch.
    pub fn noted(&self, name: &str) -> Result<u64> {
        let mut lines = self.notes.lines().filter_map(|line| line.split_once(' '));
        let (_, time) = lines.find(|line| line.0 == name).with_context(|| name.to_owned())?;
        Ok(time.parse()?)
    }
}

/// A tracer that writes to a file.
#[derive(Debug)]
pub struct ToFile {
    /// The tracer.
    pub tracer: Tracer,
    /// Where it writes.
    pub file: PathBuf,
}

impl ToFile {
    /// Starts it with these flags. `name` names its files.
    pub fn start(name: &str, flags: &[&str]) -> Result<ToFile> {
        let mut command = Command::new(paths::tracer());
        ToFile::spawn(name, command.args(flags))
    }

    /// The same with a command, to which the export is added.
    pub fn spawn(name: &str, command: &mut Command) -> Result<ToFile> {
        let file = fresh(name)?;
        command.arg("--export").arg(format!("file={}", file.display()));
        // Of the environment only what a test sets itself.
        command.env_remove("RUST_LOG").args(["--settle", "100ms"]);
        Ok(ToFile { tracer: Tracer::spawn(&format!("tracer-{name}"), command)?, file })
    }

    /// Stops it and reads what it wrote.
    pub fn stop(self) -> Result<Seen> {
        let ended = self.tracer.stop()?;
        ensure!(ended.status.success(), "{}: {}", ended.status, ended.summary);
        let spans = export::read(&self.file)?;
        Ok(Seen { spans, summary: ended.summary, notes: String::new() })
    }
}

/// A path at which there is no file.
pub fn fresh(name: &str) -> Result<PathBuf> {
    fs::create_dir_all(paths::logs())?;
    let file = paths::logs().join(format!("capture-{name}.jsonl"));
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(file),
    }
}
