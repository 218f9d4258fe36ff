//! The file that CPython is in: the program itself, or a library.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use object::elf::ET_DYN;
use object::read::elf::ElfFile64;
use object::{Object as _, ObjectSegment as _, ObjectSymbol as _, ReadCache};
use procfs::process::MemoryMap;

use super::memory::Memory;

/// CPython's global state (Include/internal/pycore_runtime.h), exported since 3.7.
const RUNTIME: &[u8] = b"_PyRuntime";

/// Where things are in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// `_PyRuntime`.
    pub(super) runtime: u64,
}

impl Image {
    /// Looks for CPython among the files that a process has mapped.
    pub(super) fn find(pid: u32, memory: &Memory) -> Option<Self> {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let mut files: Vec<_> = memory.files().filter(|(_, path)| speaks(path, &program)).collect();
        // An interpreter's program is often nothing but a call into its library.
        files.sort_by_key(|(_, path)| *path == program);
        files.into_iter().find_map(|(map, path)| {
            let file = open(pid, map, path).ok()?;
            Self::read(file, map.address.0)
        })
    }

    fn read(file: File, start: u64) -> Option<Self> {
        let cache = ReadCache::new(file);
        let elf = ElfFile64::<object::Endianness, _>::parse(&cache).ok()?;
        let is_dynamic = elf.elf_header().e_type.get(elf.endian()) == ET_DYN;
        let lowest = elf.segments().map(|segment| segment.address()).min()?;
        let base = if is_dynamic { start.wrapping_sub(lowest & !0xfff) } else { 0 };
        let mut symbols = elf.dynamic_symbols().chain(elf.symbols());
        let found = symbols.find(|symbol| {
            symbol.is_definition() && symbol.name_bytes().is_ok_and(|name| name == RUNTIME)
        })?;
        Some(Self { runtime: base.wrapping_add(found.address()) })
    }
}

/// Whether a file may hold CPython: the program, which may be linked with it, or its library.
fn speaks(path: &Path, program: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    path == program || name.starts_with(b"libpython3")
}

/// The file of a mapping, which may be deleted, or in another mount namespace.
fn open(pid: u32, map: &MemoryMap, path: &Path) -> io::Result<File> {
    let (start, end) = map.address;
    let direct = File::open(format!("/proc/{pid}/map_files/{start:x}-{end:x}"));
    // That needs more rights than the tracer may have.
    direct.or_else(|_| {
        let rooted: PathBuf = format!("/proc/{pid}/root{}", path.display()).into();
        let file = File::open(rooted)?;
        match file.metadata()?.ino() == map.inode {
            true => Ok(file),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    })
}
