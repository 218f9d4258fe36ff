//! Tokio: which task waits for a socket, and which one for the answer that another task is to get.
//! Nothing of it has a name in a program, and the compiler decides where it is, so all of it is found
//! in live processes, by what must hold there. Descriptions of one program hold for all its processes.

mod channel;
mod layout;
mod program;
mod sightings;
mod sockets;
mod way;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use tracer_common::record::FLOW_TASK;
use tracer_common::runtime::Runtime;

use super::memory::Memory;
use super::{Again, ByFile, Candidate, Detector, Insight};
use layout::Layout;
use program::Program;

/// How long one process is looked at on end: calls are short, and only while one is open can it be
/// seen who waits for it.
const PATIENCE: Duration = Duration::from_millis(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(3);

/// Recognises it.
#[derive(Debug, Default)]
pub(super) struct Tokio {
    layouts: ByFile<Layout>,
}

impl Detector for Tokio {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let memory = Memory::of(process).ok()?;
        let program = Program::of(&memory)?;
        let sockets = sockets::registered(process.pid, &memory);
        if sockets.is_empty() {
            return None;
        }
        let mut layout = self.layouts.known(process.exe_id).unwrap_or_default();
        let end = Instant::now() + PATIENCE;
        layout.look(&program, &sockets, end);
        // Others that run the program may wait for what is known of it.
        while layout.size() == 0 && Instant::now() < end {
            std::thread::sleep(PAUSE);
            layout.look(&program, &sockets, end);
        }
        let tokio = layout.tokio(&program);
        self.layouts.put(process.exe_id, layout);
        let runtime = tokio.map(|tokio| Runtime { kind: FLOW_TASK, tokio, ..Runtime::default() });
        // Others that it makes calls by may be of another kind.
        let again = if runtime.is_some() { Again::Unfollowed } else { Again::Later };
        Some(Insight { runtime, uprobes: vec![], again })
    }
}
