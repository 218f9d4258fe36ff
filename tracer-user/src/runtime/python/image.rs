//! The file that CPython is in: the program itself, or a library.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::memory::Memory;
use crate::runtime::elf::Contents;
use crate::runtime::{ByFile, FileId};

/// CPython's global state (Include/internal/pycore_runtime.h), exported since 3.7.
const RUNTIME: &str = "_PyRuntime";
/// The type of contexts (Include/cpython/context.h), exported since 3.7.
const CONTEXT_TYPE: &str = "PyContext_Type";
/// `PY_VERSION_HEX`, exported since 3.11.
const VERSION: &str = "Py_Version";
/// Makes the copy of the current context in which another flow of execution is to run.
const COPY_CURRENT: &str = "PyContext_CopyCurrent";

/// Symbols of a file, from its lowest address on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbols {
    is_movable: bool,
    lowest: u64,
    runtime: u64,
    context_type: Option<u64>,
    version: Option<u64>,
    copy_current: Option<u64>,
}

/// Where things are in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// `_PyRuntime`.
    pub(super) runtime: u64,
    /// `PyContext_Type`.
    pub(super) context_type: Option<u64>,
    /// `PyContext_CopyCurrent`.
    pub(super) copy_current: Option<u64>,
    /// Of 3.x, x, as far as that is told.
    pub(super) minor: Option<u32>,
    /// Its file.
    pub(super) path: PathBuf,
}

impl Image {
    /// Looks for CPython among the files that a process has mapped.
    pub(super) fn find(memory: &Memory, known: &mut ByFile<Option<Symbols>>) -> Option<Self> {
        let program = memory.program()?;
        let mut files: Vec<_> = memory.files().filter(|(_, path)| speaks(path, &program)).collect();
        // An interpreter's program is often nothing but a call into its library.
        files.sort_by_key(|(_, path)| *path == program);
        files.into_iter().find_map(|(map, path)| {
            let file = memory.open(map).ok()?;
            let id = FileId::from(&file.metadata().ok()?);
            let symbols = known.get(id, || Symbols::read(&file, minor(path).is_some()))?;
            Some(symbols.locate(memory, map.address.0, path))
        })
    }
}

impl Symbols {
    /// `thorough`: also symbols that are not exported, of which a program can have very many.
    fn read(file: &File, thorough: bool) -> Option<Self> {
        let contents = Contents::new(file).ok()?;
        let elf = contents.elf().ok()?;
        let find = |name| {
            let exported = elf.exported(name);
            exported.or_else(|| thorough.then(|| elf.symbol(name)).flatten())
        };
        Some(Self {
            runtime: find(RUNTIME)?,
            is_movable: elf.is_movable(),
            lowest: elf.lowest()?,
            context_type: find(CONTEXT_TYPE),
            version: find(VERSION),
            copy_current: find(COPY_CURRENT),
        })
    }

    fn locate(self, memory: &Memory, start: u64, path: &Path) -> Image {
        let base = if self.is_movable { start.wrapping_sub(self.lowest & !0xfff) } else { 0 };
        let at = |address: u64| base.wrapping_add(address);
        let version = self.version.and_then(|version| memory.word(at(version)));
        let told = version.map(|version| (version >> 16) as u32 & 0xff);
        Image {
            runtime: at(self.runtime),
            context_type: self.context_type.map(at),
            copy_current: self.copy_current.map(at),
            minor: told.or_else(|| minor(path)),
            path: path.to_owned(),
        }
    }
}

/// Whether a file may hold CPython: the program, which may be linked with it, or its library.
fn speaks(path: &Path, program: &Path) -> bool {
    path == program || name(path).starts_with(b"libpython3")
}

fn name(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}

/// By the name of the program or the library: python3.9, libpython3.9.so.1.0, libpython3.9d.so.
fn minor(path: &Path) -> Option<u32> {
    let name = str::from_utf8(name(path)).ok()?;
    let (_, version) = name.split_once("python3.")?;
    let end = version.find(|character: char| !character.is_ascii_digit()).unwrap_or(version.len());
    version.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::minor;
    use std::path::Path;

    #[test]
    fn versions_are_told_by_names() {
        for (name, expected) in [
            ("/usr/bin/python3.9", Some(9)),
            ("/usr/lib/libpython3.10.so.1.0", Some(10)),
            ("libpython3.8d.so", Some(8)),
            ("/usr/lib/libpython3.so", None),
            ("/opt/app/server", None),
        ] {
            assert_eq!(minor(Path::new(name)), expected, "{name}");
        }
    }
}
