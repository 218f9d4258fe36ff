//! Tokio: which task waits for a socket, and which one for the answer that another task is to get.
//! Nothing of it has a name in a program, and the compiler decides where it is, so all of it is found
//! in live processes, by what must hold there. Descriptions of one program hold for all its processes.

mod channel;
mod kept;
mod layout;
mod program;
mod sightings;
mod sockets;
mod way;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{Duration, Instant};

use tracer_common::record::FLOW_TASK;
use tracer_common::runtime::Runtime;

use super::memory::Memory;
use super::{Again, ByFile, Candidate, Detector, Insight, Occasion};
use kept::Kept;
use layout::Layout;
use program::Program;

/// How long one process is looked at on end: calls are short, and only while one is open can it be
/// seen who waits for it.
const PATIENCE: Duration = Duration::from_millis(25);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Recognises it.
#[derive(Debug, Default)]
pub(super) struct Tokio {
    layouts: ByFile<Layout>,
    /// What is to be there in the next run, too.
    kept: Option<Kept>,
}

impl Tokio {
    /// With what earlier runs have kept in this directory.
    pub(super) fn kept_in(directory: Option<&Path>) -> Self {
        Self { layouts: ByFile::default(), kept: directory.map(Kept::open) }
    }

    /// What is known of a program that a process runs, in this run or from earlier ones.
    fn known(&mut self, process: &Candidate, program: &Program<'_>) -> Layout {
        if let Some(layout) = self.layouts.known(process.exe_id) {
            return layout;
        }
        let kept = self.kept.as_mut().and_then(|kept| kept.get(&kept::identity(process)));
        kept.and_then(|known| Layout::kept(&known, program)).unwrap_or_default()
    }

    fn keep(&mut self, process: &Candidate, layout: Layout, before: Option<layout::Known>) {
        let known = layout.known();
        if let (Some(kept), Some(known)) = (&mut self.kept, &known)
            && Some(known) != before.as_ref()
        {
            kept.put(kept::identity(process), known.clone());
        }
        self.layouts.put(process.exe_id, layout);
    }
}

impl Detector for Tokio {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let memory = Memory::of(process).ok()?;
        let program = Program::of(&memory)?;
        let sockets = sockets::registered(process.pid, &memory);
        if sockets.is_empty() {
            return None;
        }
        let mut layout = self.known(process, &program);
        let before = layout.known();
        if !layout.is_likely(&program, &sockets) {
            return None;
        }
        let end = Instant::now() + PATIENCE;
        let (calls, size) = (process.occasion == Occasion::Calls, layout.size());
        loop {
            layout.look(&program, &sockets, end);
            // Who called may not wait yet; others that are to be looked at are not kept waiting for long.
            if !calls || layout.size() != size || Instant::now() >= end {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        // Even if there is nothing to read yet, the probes are to tell when the process makes calls:
        // then there is.
        let tokio = layout.tokio(&program).unwrap_or_default();
        self.keep(process, layout, before);
        let runtime = Runtime { kind: FLOW_TASK, tokio, ..Runtime::default() };
        // Others that it makes calls by may be of another kind.
        Some(Insight { runtime: Some(runtime), uprobes: vec![], again: Again::Unfollowed })
    }
}
