//! Java's virtual machine (HotSpot): what the probes need to find the futures that a thread works on.

mod classes;
mod client;
mod image;
mod tables;
#[cfg(test)]
mod tests;

use tracer_common::record::FLOW_FUTURE;
use tracer_common::runtime::{Jvm, Runtime};

use super::memory::Memory;
use super::{ByFile, Candidate, Detector, Insight};
use classes::Classes;
use image::Symbols;
use tables::Tables;

/// Recognises it.
#[derive(Debug, Default)]
pub(super) struct Java {
    symbols: ByFile<Option<Symbols>>,
}

const FUTURE: &str = "java/util/concurrent/CompletableFuture";

impl Detector for Java {
    fn look(&mut self, process: &Candidate) -> Option<Insight> {
        let memory = Memory::of(process).ok()?;
        let (structs, types) = image::find(&memory, &mut self.symbols)?;
        let jvm = Tables::read(&memory, structs, types).and_then(|tables| jvm(&memory, &tables));
        let runtime = jvm.map(|jvm| Runtime { kind: FLOW_FUTURE, jvm, ..Runtime::default() });
        // It may be starting, or not have loaded the classes.
        let again = jvm.is_none_or(|jvm| jvm.waiter == 0 || jvm.pair == 0 || jvm.connection == 0);
        Some(Insight { again, runtime, uprobes: vec![] })
    }
}

/// `None` if its futures are not known, or are not as they are expected.
fn jvm(memory: &Memory, tables: &Tables) -> Option<Jvm> {
    let value = |owner, names: [&str; 2]| {
        memory.word(names.iter().find_map(|name| tables.address(owner, name))?)
    };
    let old = |name| memory.word(tables.address("Universe", name)?);
    // Named differently in JDK 11, 17 to 21, and later.
    let narrow = |owner, new: [&str; 2], before| value(owner, new).or_else(|| old(before));
    let object_base =
        narrow("CompressedOops", ["_narrow_oop._base", "_base"], "_narrow_oop._base")?;
    let object_shift =
        narrow("CompressedOops", ["_narrow_oop._shift", "_shift"], "_narrow_oop._shift")?;
    let pointers = "CompressedKlassPointers";
    let class_base = narrow(pointers, ["_narrow_klass._base", "_base"], "_narrow_klass._base")?;
    let class_shift = narrow(pointers, ["_narrow_klass._shift", "_shift"], "_narrow_klass._shift")?;
    let heap = memory.word(tables.address("Universe", "_collectedHeap")?)?;
    let reserved = heap.wrapping_add(tables.offset("CollectedHeap", "_reserved")?);
    let start = memory.word(reserved.wrapping_add(tables.offset("MemRegion", "_start")?))?;
    let words = memory.word(reserved.wrapping_add(tables.offset("MemRegion", "_word_size")?))?;
    let classes = Classes { memory, tables };
    let inner = ["Completion", "UniCompletion", "CoCompletion", "Signaller"];
    let inner = inner.map(|name| format!("{FUTURE}${name}"));
    let [link, single, pair, waiter] = inner.each_ref().map(String::as_str);
    let found = classes.find([FUTURE, link, single, pair, waiter, "java/lang/Thread"])?;
    let [future, link, single, pair, waiter, thread] = found;
    let client = client::find(&classes, class_base, class_shift as u32);
    let field = |class: Option<u64>, name| class.and_then(|class| classes.field(class, name));
    let optional = |class, name| field(class, name).unwrap_or_default();
    Some(Jvm {
        heap_start: start,
        heap_end: start.checked_add(words.checked_mul(8)?)?,
        object_base,
        class_base,
        object_shift: object_shift as u32,
        class_shift: class_shift as u32,
        collections: heap.wrapping_add(tables.offset("CollectedHeap", "_total_collections")?),
        supers: tables.offset("Klass", "_primary_supers[0]")? as u32,
        stack: field(future, "stack")?,
        next: field(link, "next")?,
        dependent: field(single, "dep")?,
        base: optional(pair, "base"),
        thread: optional(waiter, "thread"),
        eetop: field(thread, "eetop")?,
        osthread: tables
            .offset("JavaThread", "_osthread")
            .or_else(|| tables.offset("Thread", "_osthread"))? as u32,
        thread_id: tables.offset("OSThread", "_thread_id")? as u32,
        future: future?,
        single: single?,
        pair: pair.unwrap_or_default(),
        waiter: waiter.unwrap_or_default(),
        ..client.unwrap_or_default()
    })
}
