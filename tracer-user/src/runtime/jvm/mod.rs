//! Java's virtual machine (HotSpot, JDK 17 to 25; 11 by its sources): what the probes need to find the
//! futures, and the virtual threads, that a thread works on. Known are those with compressed pointers
//! and the usual heads of objects, that is, with heaps of less than 32 GiB and any collector but ZGC.

mod classes;
mod client;
mod futures;
mod heap;
mod image;
mod tables;
#[cfg(test)]
mod tests;
mod threads;

use tracer_common::record::FLOW_FUTURE;
use tracer_common::runtime::{Jvm, Runtime};

use super::memory::Memory;
use super::{Again, ByFile, Candidate, Detector, Insight};
use classes::Classes;
use image::Symbols;
use tables::Tables;

/// Recognises it.
#[derive(Debug, Default)]
pub(super) struct Java {
    symbols: ByFile<Option<Symbols>>,
}

impl Detector for Java {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let memory = Memory::of(process).ok()?;
        let (structs, types) = image::find(&memory, &mut self.symbols)?;
        let jvm = Tables::read(&memory, structs, types).and_then(|tables| find(&memory, &tables));
        let runtime = jvm.filter(Jvm::matters).map(|jvm| Runtime {
            kind: FLOW_FUTURE,
            jvm,
            ..Runtime::default()
        });
        // It may be starting, and loads classes when they are used first.
        let missing = jvm.is_none_or(|jvm| {
            [jvm.task, jvm.single, jvm.pair, jvm.waiter, jvm.connection.into()].contains(&0)
        });
        Some(Insight { again: Again::later_if(missing), runtime, uprobes: vec![] })
    }
}

/// `None` if it is not as it is expected; what is not loaded is 0.
fn find(memory: &Memory, tables: &Tables) -> Option<Jvm> {
    let classes = Classes::read(memory, tables)?;
    let mut jvm = heap::find(&classes)?;
    threads::find(&classes, &mut jvm)?;
    let _ = futures::find(&classes, &mut jvm);
    let _ = client::find(&classes, &mut jvm);
    Some(jvm)
}

/// A pointer to a class as objects have it.
fn compressed(class: u64, jvm: &Jvm) -> Option<u32> {
    let class = class.checked_sub(jvm.class_base)?.checked_shr(jvm.class_shift)?;
    u32::try_from(class).ok()
}
