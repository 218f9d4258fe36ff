//! Where work is put into `queue.SimpleQueue` and taken out: functions of the module `_queue`, which
//! no symbol names. Its list of methods leads from their names to them.

use procfs::process::{MMPermissions, MemoryMap};

use super::memory::Memory;
use crate::kernel::Uprobe;

/// Names of methods, with the end of the string, and the probes for them.
const METHODS: [(&[u8], &str); 3] =
    [(b"put\0", "python_put"), (b"get\0", "python_get"), (b"get_nowait\0", "python_get")];
/// Most bytes of a mapping that are searched; the module has some KiB.
const MAX_SEARCH: u64 = 1 << 20;

/// The probes; none if not all of them can be placed, or the module is not loaded as a file of its
/// own.
pub(super) fn probes(memory: &Memory) -> Vec<Uprobe> {
    let mut files = memory.files().filter(|(_, path)| {
        path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b"_queue.")
    });
    files.find_map(|(file, _)| in_file(memory, file)).unwrap_or_default()
}

fn in_file(memory: &Memory, file: &MemoryMap) -> Option<Vec<Uprobe>> {
    let maps: Vec<_> = memory.maps_of(file).collect();
    let contents: Vec<(&MemoryMap, Vec<u64>)> = maps
        .iter()
        .map(|&map| {
            let length = (map.address.1 - map.address.0).min(MAX_SEARCH);
            (map, memory.words(map.address.0, (length / 8) as usize))
        })
        .collect();
    let probe = |&(name, program): &(&[u8], &'static str)| {
        let names: Vec<u64> = contents
            .iter()
            .flat_map(|(map, words)| {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                let found = bytes.windows(name.len()).enumerate();
                let found = found.filter(|(_, window)| *window == name);
                found.map(|(at, _)| map.address.0 + at as u64).collect::<Vec<_>>()
            })
            .collect();
        // `PyMethodDef`: name, function (Include/methodobject.h).
        let pairs = contents.iter().flat_map(|(_, words)| words.windows(2));
        let functions = pairs.filter_map(|pair| match *pair {
            [name, function] if names.contains(&name) => Some(function),
            _ => None,
        });
        functions.into_iter().find_map(|function| {
            let map = maps.iter().find(|map| {
                map.perms.contains(MMPermissions::EXECUTE)
                    && (map.address.0..map.address.1).contains(&function)
            })?;
            let offset = function - map.address.0 + map.offset;
            Some(Uprobe { program, path: memory.path_of(map), offset, cookie: 0 })
        })
    };
    METHODS.iter().map(probe).collect()
}
