//! The functions by which contexts begin. `PyContext_CopyCurrent` is exported. Where asyncio is built
//! into the interpreter, tasks may not go through that; their beginning, `_asyncio.Task.__init__`, no
//! symbol names in a stripped file: its type, or since 3.12 the description of which that is made,
//! points to the type's name. So it is with `gevent.Greenlet.__init__`, by which greenlets begin.

use std::path::Path;

use procfs::process::{MMPermissions, MemoryMap};

use super::image::Image;
use super::memory::Memory;
use crate::kernel::{PYTHON_COPIED, PYTHON_GREENLET, PYTHON_TASK, Uprobe};
use tracer_common::runtime::PYTHON_TYPE_BITS;

/// The type's name, with the end of the string.
const TASK: &[u8] = b"_asyncio.Task\0";
/// Compiled modules of gevent with its class `Greenlet`, and the name of that: since 20.5, and before
/// (src/gevent/_gevent_cgreenlet.pxd, src/gevent/_greenlet.pxd).
const GREENLETS: [(&[u8], &[u8]); 2] = [
    (b"_gevent_cgreenlet.", b"gevent._gevent_cgreenlet.Greenlet\0"),
    (b"_greenlet.", b"gevent._greenlet.Greenlet\0"),
];
/// From `PyTypeObject.tp_name` to `tp_init`, bytes (Include/cpython/object.h).
const NAME_TO_INIT: u64 = 272;
/// From `PyType_Spec.name` to `slots`, bytes (Include/object.h).
const NAME_TO_SLOTS: u64 = 24;
/// `Py_tp_init` (Include/typeslots.h).
const SLOT_INIT: u64 = 60;
/// Slots that a type has at most, each a number and a pointer.
const MAX_SLOTS: usize = 80;
/// Most bytes of a mapping that are searched.
const MAX_SEARCH: u64 = 32 << 20;

/// Where in a task its context is (`TaskObj.task_context`, Modules/_asynciomodule.c), bytes, by
/// minor version from 3.8 on: in builds with a GIL. The probe uses what it finds there only if that
/// is a context.
const CONTEXT_IN_TASK: [u64; 7] = [128, 168, 176, 152, 152, 136, 144];

/// The probes on functions that tell who starts whom; fewer where they cannot be told.
pub(super) fn probes(memory: &Memory, image: &Image) -> Vec<Uprobe> {
    copied(memory, image).into_iter().chain(task(memory, image)).collect()
}

/// The probe on the beginning of a greenlet, which its starter is then known to have made; not where
/// gevent was not compiled.
pub(super) fn greenlet(memory: &Memory) -> Option<Uprobe> {
    let find = |(module, name): &(&[u8], &[u8])| {
        let (file, _) = memory.files().find(|(_, path)| begins_with(path, module))?;
        let (map, function) = begins(memory, file, name)?;
        Some(uprobe(PYTHON_GREENLET, memory, map, function, 0))
    };
    GREENLETS.iter().find_map(find)
}

fn begins_with(path: &Path, module: &[u8]) -> bool {
    path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(module)
}

/// Every copy of the current context, as far as the compiler has left them to this function: for
/// tasks, threads and callbacks.
fn copied(memory: &Memory, image: &Image) -> Option<Uprobe> {
    let function = image.copy_current?;
    Some(uprobe(PYTHON_COPIED, memory, memory.code(function)?, function, 0))
}

fn task(memory: &Memory, image: &Image) -> Option<Uprobe> {
    let version = usize::try_from(image.minor?.checked_sub(8)?).ok()?;
    let context = *CONTEXT_IN_TASK.get(version)?;
    let kind = image.context_type.filter(|kind| kind >> PYTHON_TYPE_BITS == 0)?;
    // Its own file, which is small; else it is built into the interpreter.
    let module = memory.files().find(|(_, path)| begins_with(path, b"_asyncio."));
    let (file, _) = module.or_else(|| memory.files().find(|(_, path)| *path == image.path))?;
    let (map, function) = begins(memory, file, TASK)?;
    Some(uprobe(PYTHON_TASK, memory, map, function, kind | context << PYTHON_TYPE_BITS))
}

fn uprobe(
    program: &'static str,
    memory: &Memory,
    map: &MemoryMap,
    function: u64,
    cookie: u64,
) -> Uprobe {
    let offset = function - map.address.0 + map.offset;
    Uprobe { program, path: memory.path_of(map), offset, cookie }
}

/// The function by which objects of a type begin, and the mapping of the file that it is in.
fn begins<'a>(memory: &'a Memory, file: &MemoryMap, name: &[u8]) -> Option<(&'a MemoryMap, u64)> {
    let maps: Vec<_> = memory.maps_of(file).collect();
    let names: Vec<u64> = maps.iter().flat_map(|map| occurrences(memory, map, name)).collect();
    let code = |function: u64| memory.code(function).filter(|map| map.inode == file.inode);
    let pointers = maps.iter().flat_map(|map| {
        let words = memory.words(map.address.0, (length(map) / 8) as usize).into_iter();
        (map.address.0..).step_by(8).zip(words).filter(|(_, word)| names.contains(word))
    });
    let mut functions = pointers.filter_map(|(name, _)| {
        let by_type = memory.word(name + NAME_TO_INIT).filter(|&init| code(init).is_some());
        by_type.or_else(|| by_description(memory, name)).and_then(|init| Some((code(init)?, init)))
    });
    functions.next()
}

fn by_description(memory: &Memory, name: u64) -> Option<u64> {
    let slots = memory.word(name + NAME_TO_SLOTS)?;
    let words = memory.words(slots, 2 * MAX_SLOTS);
    let mut slots = words.chunks_exact(2).take_while(|slot| slot.first() != Some(&0));
    slots.find(|slot| slot.first() == Some(&SLOT_INIT))?.get(1).copied()
}

/// Where the name is in a mapping that nothing writes to.
fn occurrences(memory: &Memory, map: &MemoryMap, name: &[u8]) -> Vec<u64> {
    if map.perms.contains(MMPermissions::WRITE) || map.perms.contains(MMPermissions::EXECUTE) {
        return vec![];
    }
    let words = memory.words(map.address.0, (length(map) / 8) as usize);
    let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    let found = bytes.windows(name.len()).enumerate().filter(|(_, window)| *window == name);
    found.map(|(at, _)| map.address.0 + at as u64).collect()
}

fn length(map: &MemoryMap) -> u64 {
    (map.address.1 - map.address.0).min(MAX_SEARCH)
}
