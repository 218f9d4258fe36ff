//! Go: goroutines have numbers, and know which one started them.
//!
//! A thread's current goroutine (`runtime.g`) is one thread-local pointer, which the probes can read
//! at any time; what a call to net/http's client needs besides is a probe on the function with which
//! a goroutine hands its request to the connection's own goroutines. All of it is found in the
//! program's file, stripped or not: Go's own tables are never stripped.

mod build;
mod debug_info;
mod layouts;
mod program;
mod symbols;
#[cfg(test)]
mod tests;
mod thread_local;

use tracer_common::record::FLOW_GOROUTINE;
use tracer_common::runtime::{MAX_STEPS, Runtime};

use super::{Again, ByFile, Candidate, Detector, Insight};
use crate::kernel::{GO_ROUND_TRIP, Uprobe};

pub use program::Program;

/// Go programs.
#[derive(Default)]
pub struct Go(ByFile<Option<Program>>);

impl Detector for Go {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let program = self.0.get(process.exe_id, || Program::read(&process.exe))?;
        let uprobe = program.round_trip.map(|(offset, layout)| Uprobe {
            program: GO_ROUND_TRIP,
            path: process.exe_path(),
            offset,
            cookie: layout.into(),
        });
        let (runtime, uprobes) = (Some(runtime(&program)), uprobe.into_iter().collect());
        Some(Insight { runtime, uprobes, again: Again::Never })
    }
}

fn runtime(program: &Program) -> Runtime {
    let mut path = [0; MAX_STEPS];
    path[0] = program.current;
    Runtime {
        kind: FLOW_GOROUTINE,
        steps: 1,
        path,
        context: program.goid.into(),
        parent: program.parent.unwrap_or(0).into(),
        ..Runtime::default()
    }
}
