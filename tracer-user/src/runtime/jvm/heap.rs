//! Where a JVM has its objects, and how pointers to them are compressed.

use tracer_common::runtime::Jvm;

use super::classes::Classes;

/// `None` if pointers are not compressed, or objects begin otherwise than with twelve bytes.
pub(super) fn find(classes: &Classes<'_>) -> Option<Jvm> {
    let Classes { memory, tables, .. } = classes;
    let static_word = |owner: &str, field: &str| memory.word(tables.address(owner, field)?);
    // The names of JDK 17 to 21, of later ones, and of JDK 11.
    let compression = |owner: &str, of: &str, field: &str| {
        let old = format!("{of}.{field}");
        static_word(owner, &old)
            .or_else(|| static_word(owner, field))
            .or_else(|| static_word("Universe", &old))
    };
    let objects = |field| compression("CompressedOops", "_narrow_oop", field);
    let pointers = |field| compression("CompressedKlassPointers", "_narrow_klass", field);
    let heap = static_word("Universe", "_collectedHeap")?;
    let reserved = heap.wrapping_add(tables.offset("CollectedHeap", "_reserved")?);
    let field = |name| memory.word(reserved.wrapping_add(tables.offset("MemRegion", name)?));
    let start = field("_start")?;
    let jvm = Jvm {
        heap_start: start,
        heap_end: start.checked_add(field("_word_size")?.checked_mul(8)?)?,
        object_base: objects("_base")?,
        object_shift: objects("_shift")? as u32,
        class_base: pointers("_base")?,
        class_shift: pointers("_shift")? as u32,
        collections: heap.wrapping_add(tables.offset("CollectedHeap", "_total_collections")?),
        supers: u32::try_from(tables.offset("Klass", "_primary_supers[0]")?).ok()?,
        ..Jvm::default()
    };
    Some(jvm).filter(|_| is_usual(classes) == Some(true))
}

/// A class with four pointers and nothing else shows how objects look.
fn is_usual(classes: &Classes<'_>) -> Option<bool> {
    let [class] = classes.find(["java/lang/ref/Reference"]);
    let names = ["referent", "queue", "next", "discovered"];
    let mut places = names.map(|name| classes.field(class?, name));
    places.sort_unstable();
    Some(places == [12, 16, 20, 24].map(Some))
}
