//! TLS libraries: in which of the files that a process has mapped the functions are that take plaintext
//! and give it (OpenSSL's, those of libraries that have the same ones, and GnuTLS's). The probes on them are of
//! the file, not of the process: a program like curl is over before it could be looked at, but the
//! library that it shares with others is probed by then.

mod functions;

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::memory::Memory;
use super::{ByFile, Candidate, FileId};
use crate::kernel::{InodeId, TLS_ENTER, Uprobe};
use functions::Function;

/// Where systems keep libraries that most programs share.
const DIRECTORIES: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/lib64",
    "/usr/lib",
    "/usr/local/lib",
];

/// A file with such functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// Which one.
    pub file: InodeId,
    /// The probes on it.
    pub uprobes: Vec<Uprobe>,
}

/// Finds them, and remembers what each file has.
#[derive(Debug, Default)]
pub struct Libraries(ByFile<Vec<Function>>);

impl Libraries {
    /// Those that a process has mapped by now.
    pub fn of(&mut self, pid: u32) -> Vec<Library> {
        let Some(process) = Candidate::open(pid) else { return vec![] };
        let Ok(memory) = Memory::of(&process) else { return vec![] };
        let exe = self.library(&process.exe, process.exe_path());
        let files: Vec<_> = memory.files().filter(|(_, path)| may_be_one(path)).collect();
        let libraries = files.into_iter().filter_map(|(map, _)| {
            let file = memory.open(map).ok()?;
            self.library(&file, memory.path_of(map))
        });
        let libraries: Vec<_> = libraries.collect();
        exe.into_iter().chain(libraries).collect()
    }

    /// Those that the tracer's own system has, whoever will use them.
    pub fn of_system(&mut self) -> Vec<Library> {
        let directories = DIRECTORIES.iter().filter_map(|path| std::fs::read_dir(path).ok());
        let files = directories.flatten().flatten().map(|entry| entry.path());
        let files: Vec<_> = files.filter(|path| is_shared(path)).collect();
        let open = |path: PathBuf| Some((File::open(&path).ok()?, path));
        files
            .into_iter()
            .filter_map(open)
            .filter_map(|(file, path)| self.library(&file, path))
            .collect()
    }

    fn library(&mut self, file: &File, path: PathBuf) -> Option<Library> {
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let functions = self.0.get(FileId::from(&metadata), || functions::functions(file));
        if functions.is_empty() {
            return None;
        }
        let probe = |program, function: &Function| Uprobe {
            program,
            path: path.clone(),
            offset: function.offset,
            cookie: function.call as u64,
        };
        let enter = functions.iter().filter(|function| function.is_told_at_entry());
        let enter = enter.map(|function| probe(TLS_ENTER, function));
        let leave = functions.iter().filter_map(|it| Some(probe(it.program_at_return()?, it)));
        // A return without its entry says nothing.
        let uprobes = leave.chain(enter).collect();
        Some(Library { file: (metadata.dev(), metadata.ino()), uprobes })
    }
}

/// Whether a library may have them, by its name: libssl.so.3, the _ssl module of a Python that is
/// linked with it, libnode.so, libgnutls.so.30.
fn may_be_one(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["ssl", "libgnutls"].iter().any(|part| name.contains(part)) || name.starts_with("libnode.so")
}

fn is_shared(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["libssl.so.", "libgnutls.so."].iter().any(|known| name.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::{Libraries, may_be_one};
    use std::path::Path;

    #[test]
    fn libraries_are_known_by_their_names() {
        for name in [
            "libssl.so.3",
            "libssl-1a2b.so.1.1",
            "_ssl.cpython-311-x86_64-linux-gnu.so",
            "libgnutls.so.30.34.3",
        ] {
            assert!(may_be_one(Path::new(name)), "{name}");
        }
        assert!(!may_be_one(Path::new("/usr/lib/libc.so.6")));
    }

    #[test]
    fn this_process_has_none() {
        assert!(Libraries::default().of(std::process::id()).is_empty());
    }
}
