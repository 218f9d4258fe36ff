//! CPython 3.8 and newer: which context (contextvars) each thread runs, and with it which task; under
//! gevent, which greenlet. Where threads keep it is not taken from tables by version: each place is found in the
//! live process by what must hold there, and none is used that was not found.

mod births;
mod context;
mod greenlets;
mod image;
mod queue;
mod slot;
#[cfg(test)]
mod tests;
mod threads;

use tracer_common::record::FLOW_PYTHON;
use tracer_common::runtime::{MAX_STEPS, Runtime};

use super::memory;
use super::{Again, ByFile, Candidate, Detector, Insight};
use image::{Image, Symbols};
use memory::Memory;
use slot::Slot;
use threads::Thread;

/// Knows CPython.
#[derive(Debug, Default)]
pub(super) struct Python {
    files: ByFile<Option<Symbols>>,
}

impl Detector for Python {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let memory = Memory::of(process).ok()?;
        let image = Image::find(&memory, &mut self.files)?;
        let threads = threads::threads(&memory, image.runtime);
        let greenlets = greenlets::runtime(&memory, &threads);
        let contexts = contexts(&memory, &threads).filter(|_| greenlets.is_none());
        let probes = match (greenlets, contexts) {
            (Some(_), _) => births::greenlet(&memory).into_iter().collect(),
            (None, Some(_)) => births::probes(&memory, &image),
            (None, None) => vec![],
        };
        // The interpreter may be starting, no thread may have used a context, asyncio may be loaded
        // later.
        let missing = greenlets.is_none() && (contexts.is_none() || probes.len() < 2);
        let again = Again::later_if(missing);
        let runtime = greenlets.or(contexts);
        let uprobes = probes.into_iter().chain(queue::probes(&memory)).collect();
        // Threads hand on work wherever contexts are.
        let unknown = Runtime { kind: FLOW_PYTHON, ..Runtime::default() };
        Some(Insight { runtime: runtime.or(Some(unknown)), uprobes, again })
    }
}

/// Where contexts are, as far as that can be told by now.
fn contexts(memory: &Memory, threads: &[Thread]) -> Option<Runtime> {
    let slot = Slot::find(memory, threads)?;
    let context = context::offset(memory, threads)?;
    let mut path = [0; MAX_STEPS];
    path.iter_mut().zip(slot.path).for_each(|(to, from)| *to = from);
    Some(Runtime { kind: FLOW_PYTHON, steps: slot.steps, path, context, ..Runtime::default() })
}
