//! Language runtimes: which one a process runs, and how the probes find what names its flows of
//! execution (goroutines, Python contexts, tasks). It reads other processes' files, which is slow work, so
//! it has a thread of its own ([`crate::live`]).
//!
//! A runtime is one file here and one line in [`Detectors`]. What is found out about a file is kept
//! by its identity ([`ByFile`]), for most processes run programs that others run, too.

mod by_file;
mod candidate;
pub mod elf;
pub mod golang;
mod jvm;
mod memory;
mod nginx;
mod python;
pub mod tls;
mod tokio;
mod v8;

use std::path::Path;

use crate::kernel::Uprobe;
use tracer_common::runtime::Runtime;

pub use by_file::{ByFile, FileId};
pub use candidate::Candidate;

/// What the probes need to know of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insight {
    /// Where its threads keep the context that they run.
    pub runtime: Option<Runtime>,
    /// Functions whose calls tell what no socket operation shows.
    pub uprobes: Vec<Uprobe>,
    /// Whether there may be more to find.
    pub again: Again,
}

/// When a process is to be looked at again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// All is known.
    #[default]
    Never,
    /// Later: the runtime was still starting.
    Later,
    /// When it makes calls that the probes cannot follow: only then is there something to see.
    Unfollowed,
}

/// Why a process is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Tracing starts, and all processes that are there wait to be looked at: what takes long can follow.
    Start,
    /// It is met, or runs another program.
    Met,
    /// It was met before, and more may be known of it by now.
    Again,
    /// It is making a call just now that the probes cannot follow.
    Calls,
}

impl Again {
    /// Later, if something is missing.
    fn later_if(missing: bool) -> Self {
        if missing { Self::Later } else { Self::Never }
    }
}

/// Knows one runtime.
pub trait Detector: Send {
    /// What the probes need, if the process runs it. Asked when the tracer starts, when the process
    /// starts its program, and again when it is first seen to speak HTTP: by then it may have loaded
    /// more.
    fn look(&mut self, process: &Candidate) -> Option<Insight>;
}

/// Every runtime that is known.
pub struct Detectors(Vec<Box<dyn Detector>>);

impl Detectors {
    /// With what earlier runs have kept in this directory of what can only be learned from live
    /// processes, and to keep it there again.
    #[must_use]
    pub fn new(directory: Option<&Path>) -> Self {
        Self(vec![
            Box::<golang::Go>::default(),
            Box::<python::Python>::default(),
            Box::<v8::Node>::default(),
            Box::<jvm::Java>::default(),
            Box::new(nginx::Nginx),
            // Last: nothing but live calls tells it from any other native program.
            Box::new(tokio::Tokio::kept_in(directory)),
        ])
    }

    /// What the first runtime that recognises the process says; nothing if none does, or it has
    /// ended.
    pub fn look(&mut self, pid: u32, occasion: Occasion) -> Insight {
        let Some(process) = Candidate::open(pid) else { return Insight::default() };
        let process = Candidate { occasion, ..process };
        self.0.iter_mut().find_map(|detector| detector.look(&process)).unwrap_or_default()
    }
}
