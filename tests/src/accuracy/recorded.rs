//! The recordings in `tests/recordings/accuracy`: one load of the accuracy suite each.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::hop::Calls;
use super::own::Own;
use super::suite::Load;
use crate::paths;

/// Who calls whom: the suite's topology `tree`, in which a route's calls are of different kinds
/// and one service is called from two places.
const TREE: [(&str, &[&str]); 5] =
    [("a", &["b", "c"]), ("b", &["d", "e"]), ("c", &["d"]), ("d", &[]), ("e", &[])];

/// One recording.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// What the services run on.
    pub runtime: &'static str,
    /// Whether their handlers sleep.
    pub timers: bool,
    /// `seq` or `par`.
    pub mode: &'static str,
}

const fn timers(runtime: &'static str, mode: &'static str) -> Recorded {
    Recorded { runtime, timers: true, mode }
}

const fn busy(runtime: &'static str, mode: &'static str) -> Recorded {
    Recorded { runtime, timers: false, mode }
}

/// All of them: with timers, which is the harder case, and without where other witnesses speak then.
pub const RECORDED: [Recorded; 22] = [
    timers("flask", "seq"),
    timers("flask", "par"),
    timers("ruby", "seq"),
    timers("go", "seq"),
    timers("go", "par"),
    busy("go", "par"),
    timers("fastapi", "seq"),
    timers("fastapi", "par"),
    timers("aiohttp", "seq"),
    timers("aiohttp", "par"),
    timers("gevent", "seq"),
    timers("gevent", "par"),
    timers("nodehttp", "seq"),
    timers("nodehttp", "par"),
    busy("nodehttp", "par"),
    timers("rust", "seq"),
    timers("rust", "par"),
    busy("rust", "par"),
    timers("java", "seq"),
    timers("java-async", "seq"),
    timers("java-async", "par"),
    busy("java-async", "par"),
];

/// Parts of the suite that they need.
pub const RECORDED_PARTS: [&str; 4] = ["go", "node", "python", "rust"];

/// Services of our own that they need.
pub const RECORDED_OWN: [(&str, Own); 4] = [
    ("gevent", Own::Gevent),
    ("java", Own::Java("url")),
    ("java-async", Own::Java("async")),
    ("ruby", Own::Ruby),
];

/// User requests of each.
pub const ROOTS: u16 = 50;

impl Recorded {
    /// Name of the file, without its ending.
    pub fn name(&self) -> String {
        let timers = if self.timers { "timers" } else { "no-timers" };
        format!("{}-{timers}-{}", self.runtime, self.mode)
    }

    /// The file.
    pub fn file(&self) -> PathBuf {
        directory().join(self.name() + ".trec")
    }

    /// What is recorded.
    pub fn load(&self) -> Load<'static> {
        let Recorded { runtime, timers, mode } = *self;
        Load {
            topology: "tree",
            runtime,
            mode,
            headers: "none",
            timers,
            concurrency: 8,
            roots: ROOTS,
        }
    }
}

/// Who calls whom in them.
pub fn tree() -> Calls {
    let owned = |callees: &[&str]| callees.iter().map(|name| (*name).to_owned()).collect();
    TREE.iter().map(|(name, callees)| ((*name).to_owned(), owned(callees))).collect()
}

/// Where they are.
pub fn directory() -> PathBuf {
    paths::root().join("tests/recordings/accuracy")
}

/// What a replay of one has to reach, in percent of its edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Right with `--min-confidence 0`, at least.
    pub right: f64,
    /// Right by default, at least.
    pub right_by_default: f64,
    /// Wrong by default, at most.
    pub wrong_by_default: f64,
}

/// The shares that are written beside the recordings, by their names.
///
/// # Errors
/// If there is no such file, or it is something else.
pub fn shares() -> Result<std::collections::BTreeMap<String, Share>> {
    let file = shares_file();
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}

/// Their file.
pub fn shares_file() -> PathBuf {
    directory().join("shares.json")
}
