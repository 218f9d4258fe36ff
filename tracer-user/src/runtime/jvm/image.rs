//! The library that a JVM is in.

use std::fs::File;

use super::super::elf::Contents;
use super::super::memory::Memory;
use super::super::{ByFile, FileId};

const LIBRARY: &str = "libjvm.so";

/// Symbols of a file, from its lowest address on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbols {
    lowest: u64,
    structs: u64,
    types: u64,
}

/// Where a process has the pointers `gHotSpotVMStructs` and `gHotSpotVMTypes`.
pub(super) fn find(memory: &Memory, known: &mut ByFile<Option<Symbols>>) -> Option<(u64, u64)> {
    let (map, _) = memory.files().find(|(_, path)| path.ends_with(LIBRARY))?;
    let file = memory.open(map).ok()?;
    let id = FileId::from(&file.metadata().ok()?);
    let symbols = known.get(id, || read(&file))?;
    let at =
        |address: u64| address.wrapping_sub(symbols.lowest & !0xfff).wrapping_add(map.address.0);
    Some((at(symbols.structs), at(symbols.types)))
}

fn read(file: &File) -> Option<Symbols> {
    let contents = Contents::new(file).ok()?;
    let elf = contents.elf().ok()?;
    Some(Symbols {
        lowest: elf.lowest()?,
        structs: elf.exported("gHotSpotVMStructs")?,
        types: elf.exported("gHotSpotVMTypes")?,
    })
}
