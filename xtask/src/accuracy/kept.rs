//! What is left of a cell's run: what really happened, the spans that came, and the recording, from
//! which a later tracer can make them again.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::accuracy::{Span, Tally, judge};
use e2e::{paths, process};

use super::cell::Cell;
use super::dump;
use super::results::Measured;
use crate::install;

/// The recording of the run, in its directory.
pub(super) const RECORDING: &str = "recording";
/// Makes every edge for which there is a guess.
pub(super) const EVERY: &str = "0";
/// The default `--min-confidence`.
const DEFAULT: &str = "0.9";

/// The directory below which the runs of a cell are.
pub(super) fn place(cell: &Cell) -> PathBuf {
    paths::logs().join("accuracy").join(cell.name())
}

/// A run's directory, and the ports that its services had.
pub(super) struct Kept {
    directory: PathBuf,
    ports: Range<u16>,
}

impl Kept {
    /// Remembers the ports beside what the suite has left.
    pub(super) fn keep(directory: PathBuf, ports: Range<u16>) -> Result<Kept> {
        fs::write(directory.join("ports"), format!("{} {}", ports.start, ports.end))?;
        Ok(Kept { directory, ports })
    }

    /// The run of a cell that was kept, if there is one.
    pub(super) fn find(cell: &Cell) -> Option<Kept> {
        let runs = fs::read_dir(place(cell)).ok()?.filter_map(Result::ok);
        let directory = runs.map(|run| run.path()).find(|run| run.join(RECORDING).is_file())?;
        let text = fs::read_to_string(directory.join("ports")).ok()?;
        let (first, last) = text.split_once(' ')?;
        let ports = first.parse().ok()?..last.parse().ok()?;
        Some(Kept { directory, ports })
    }

    /// Scores the spans that came, and those of a replay with the default.
    pub(super) fn score(&self, cell: &Cell) -> Result<Measured> {
        let every = dump::received(&self.directory, &self.ports)?;
        self.measured(cell, &every, &self.replayed(DEFAULT, None)?)
    }

    /// Scores the spans that today's tracer makes of the recording.
    pub(super) fn replay(&self, cell: &Cell) -> Result<Measured> {
        self.without(cell, None)
    }

    /// The same without one kind of evidence.
    pub(super) fn without(&self, cell: &Cell, kind: Option<&str>) -> Result<Measured> {
        let every = self.replayed(EVERY, kind)?;
        self.measured(cell, &every, &self.replayed(DEFAULT, kind)?)
    }

    fn measured(&self, cell: &Cell, every: &[Span], default: &[Span]) -> Result<Measured> {
        let (requests, bad_roots) = dump::truth(&self.directory)?;
        ensure!(!requests.is_empty(), "no user request was answered");
        let log = fs::read_to_string(self.directory.join("tracer.log")).unwrap_or_default();
        let losses = log.lines().filter(|line| line.starts_with("lost:"));
        Ok(Measured {
            cell: cell.clone(),
            every: Tally::of(&judge(every, &requests)),
            default: Tally::of(&judge(default, &requests)),
            bad_roots,
            losses: losses.filter(|line| *line != "lost: nothing").map(str::to_owned).collect(),
        })
    }

    fn replayed(&self, min_confidence: &str, without: Option<&str>) -> Result<Vec<Span>> {
        let spans = self.directory.join("replayed.jsonl");
        remove(&spans)?;
        let mut command = install::as_root(paths::tracer());
        command.arg("replay").arg(self.directory.join(RECORDING));
        command.args(["--min-confidence", min_confidence]);
        if let Some(kind) = without {
            command.args(["--without-evidence", kind]);
        }
        command.arg("--export").arg(format!("file={}", spans.display()));
        process::run("tracer replay", &mut command)?;
        dump::exported(&spans, &self.ports)
    }

    /// Leaves the recording and the truth, which are small.
    pub(super) fn tidy(&self) -> Result<()> {
        ["replayed.jsonl", "spans.jsonl"]
            .map(|name| remove(&self.directory.join(name)))
            .into_iter()
            .collect()
    }
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}
