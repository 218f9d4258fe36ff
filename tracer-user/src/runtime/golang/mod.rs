//! Go: goroutines have numbers, and know which one started them.
//!
//! A thread's current goroutine (`runtime.g`) is one thread-local pointer, which the probes can read
//! at any time; where goroutines hand over to others (net/http's client, HTTP/2, grpc-go), a function
//! of the program is probed, and so are those of crypto/tls that take and give plaintext. All of it is
//! found in the program's file, stripped or not: Go's own tables are never stripped.

mod build;
mod debug_info;
mod layouts;
mod probes;
mod program;
mod returns;
mod rpc;
mod symbols;
#[cfg(test)]
mod tests;
mod thread_local;

use std::time::Duration;

use tracer_common::record::FLOW_GOROUTINE;
use tracer_common::runtime::{MAX_STEPS, Runtime};

use super::{Again, ByFile, Candidate, Detector, Insight, Occasion};
use crate::kernel::{GO_ROUND_TRIP, Uprobe};

pub use probes::Probe;
pub use program::Program;

/// How old a process has to be to get all of its program's probes, which are up to two dozen, each of
/// them a tenth of a second of the kernel's time to remove: command line tools that end sooner are not
/// worth it.
const SETTLED: Duration = Duration::from_millis(600);

/// Go programs.
#[derive(Default)]
pub struct Go(ByFile<Option<Program>>);

impl Detector for Go {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let program = self.0.get(process.exe_id, || Program::read(&process.exe))?;
        let uprobe = |probe: &Probe| Uprobe {
            program: probe.program,
            path: process.exe_path(),
            offset: probe.offset,
            cookie: probe.layout.into(),
        };
        let young = process.age().is_some_and(|age| age < SETTLED);
        let few = young || process.occasion == Occasion::Start;
        let wanted = program.probes.iter().filter(|it| !few || it.program == GO_ROUND_TRIP);
        let uprobes: Vec<_> = wanted.map(uprobe).collect();
        let again = Again::later_if(uprobes.len() < program.probes.len());
        Some(Insight { runtime: Some(runtime(&program)), uprobes, again })
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
