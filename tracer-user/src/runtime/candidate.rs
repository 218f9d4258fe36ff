//! A process whose runtime is sought.

use std::fs::File;
use std::path::PathBuf;

use procfs::process::{MemoryMaps, Process};

use super::FileId;

/// One process, as /proc shows it.
pub struct Candidate {
    /// Its number.
    pub pid: u32,
    /// Its program's file, which it may have under another name or in a file system of its own.
    pub exe: File,
    /// Names that file's contents.
    pub exe_id: FileId,
}

impl Candidate {
    /// `None` if there is no such process (any more), or it is the kernel's.
    #[must_use]
    pub fn open(pid: u32) -> Option<Self> {
        let exe = File::open(exe(pid)).ok()?;
        let metadata = exe.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Self { pid, exe, exe_id: FileId::from(&metadata) })
    }

    /// A path of its program's file that holds in every mount namespace, while it runs.
    #[must_use]
    pub fn exe_path(&self) -> PathBuf {
        exe(self.pid)
    }

    /// What it has in its memory by now; read anew with each call.
    #[must_use]
    pub fn maps(&self) -> Option<MemoryMaps> {
        Process::new(self.pid.try_into().ok()?).ok()?.maps().ok()
    }
}

fn exe(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/exe"))
}

#[cfg(test)]
mod tests {
    use super::Candidate;

    #[test]
    fn this_process_can_be_looked_at() {
        let pid = std::process::id();
        let this = Candidate::open(pid).unwrap();
        assert_eq!(this.exe_id, Candidate::open(pid).unwrap().exe_id);
        let program = std::env::current_exe().unwrap();
        assert_eq!(std::fs::canonicalize(this.exe_path()).unwrap(), program);
        assert!(this.maps().unwrap().iter().count() > 1);
        assert!(Candidate::open(u32::MAX).is_none());
    }
}
