//! CPython 3.8 and newer: which context (contextvars) each thread runs, and with it which task or
//! greenlet. Nothing is taken from tables by version: each place is found in the live process by
//! what must hold there, and none is used that was not found.

mod context;
mod image;
mod slot;
mod threads;

use tracer_common::record::FLOW_PYTHON;
use tracer_common::runtime::{MAX_STEPS, Runtime};

#[cfg(test)]
mod tests;

use super::memory;
use image::Image;
use memory::Memory;
use slot::Slot;

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// No CPython runs in it, or none that can be looked into.
    Other,
    /// CPython is there and where contexts are cannot be told yet: it is starting, or no thread has
    /// used one. Later it may.
    Unsettled,
    /// Contexts can be read.
    Found(Runtime),
}

/// Looks at a process: reads its files and its memory, some milliseconds of work.
#[must_use]
pub fn look(pid: u32) -> Finding {
    let Ok(memory) = Memory::open(pid) else { return Finding::Other };
    let Some(image) = Image::find(pid, &memory) else { return Finding::Other };
    let threads = threads::threads(&memory, image.runtime);
    let slot = Slot::find(&memory, &threads);
    let (Some(slot), Some(context)) = (slot, context::offset(&memory, &threads)) else {
        return Finding::Unsettled;
    };
    let mut path = [0; MAX_STEPS];
    path.iter_mut().zip(slot.path).for_each(|(to, from)| *to = from);
    Finding::Found(Runtime {
        kind: FLOW_PYTHON,
        steps: slot.steps,
        path,
        context,
        ..Runtime::default()
    })
}
