//! Timing alone: the traces that TraceWeaver (SIGCOMM'24) has published, without their ids, through
//! the joint decision (`tracer-user/examples/traceweaver`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::{step, workspace};

/// One file of traces, as the example tells of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// Its name: which services, at which load.
    pub(crate) file: String,
    pub(crate) traces: u64,
    /// Of those, how many had every edge right.
    pub(crate) right_traces: u64,
    /// The same of the edges alone that TraceWeaver's own evaluation judges.
    #[serde(default)]
    pub(crate) right_as_published: u64,
    pub(crate) edges: u64,
    pub(crate) right_edges: u64,
    /// CPU time a trace, in microseconds.
    pub(crate) cpu_us_per_trace: f64,
}

/// Evaluates every file that is beside the accuracy suite.
pub(super) fn measure() -> Result<Vec<Timing>> {
    let directory = e2e::paths::truth().join("../data/traceweaver");
    let files = files(&directory).with_context(|| {
        format!("no traces at {}: they are no part of the checkout", directory.display())
    })?;
    ensure!(!files.is_empty(), "no traces in {}", directory.display());
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "tracer-user"]);
    cargo.args(["--example", "traceweaver", "--"]).args(files);
    let said = step::timed("TraceWeaver's traces", || {
        e2e::process::run("the example traceweaver", &mut cargo)
    })?;
    said.lines().map(read).collect()
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let directory = fs::canonicalize(directory)?;
    let mut files = vec![];
    for entry in fs::read_dir(directory)? {
        let file = entry?.path();
        if file.to_string_lossy().ends_with(".jsonl.gz") {
            files.push(file);
        }
    }
    files.sort_by_key(|file| order(&file.to_string_lossy()));
    Ok(files)
}

/// By name, and by load as a number.
fn order(file: &str) -> (String, u32) {
    let name = file.trim_end_matches(".jsonl.gz");
    let text = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (text.to_owned(), name.get(text.len()..).and_then(|load| load.parse().ok()).unwrap_or(0))
}

fn read(line: &str) -> Result<Timing> {
    let mut timing: Timing = serde_json::from_str(line).with_context(|| line.to_owned())?;
    let name = Path::new(&timing.file).file_name().unwrap_or_default().to_string_lossy();
    timing.file = name.trim_end_matches(".jsonl.gz").to_owned();
    Ok(timing)
}

#[cfg(test)]
mod tests {
    use super::{order, read};

    #[test]
    fn a_line_of_the_example() {
        let line = r#"{"file": "/x/hotel_load75.jsonl.gz", "traces": 10, "right_traces": 9,
            "right_as_published": 10, "edges": 50, "right_edges": 48, "cpu_us_per_trace": 12.0}"#;
        let timing = read(line).unwrap();
        assert_eq!((&*timing.file, timing.right_traces), ("hotel_load75", 9));
        assert!(read("hotel").is_err());
    }

    #[test]
    fn loads_are_numbers() {
        let mut files = ["b_load25.jsonl.gz", "a_load125.jsonl.gz", "a_load75.jsonl.gz"];
        files.sort_by_key(|file| order(file));
        assert_eq!(files, ["a_load75.jsonl.gz", "a_load125.jsonl.gz", "b_load25.jsonl.gz"]);
    }
}
