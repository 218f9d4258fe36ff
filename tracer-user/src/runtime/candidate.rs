//! A process whose runtime is sought.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use procfs::process::{MemoryMaps, Process};
use rustix::time::{ClockId, clock_gettime};

use super::{FileId, Occasion};

/// One process, as /proc shows it.
pub struct Candidate {
    /// Its number.
    pub pid: u32,
    /// Its program's file, which it may have under another name or in a file system of its own.
    pub exe: File,
    /// Names that file's contents.
    pub exe_id: FileId,
    /// Why it is looked at.
    pub occasion: Occasion,
}

impl Candidate {
    /// One that was met; `None` if there is no such process (any more), or it is the kernel's.
    #[must_use]
    pub fn open(pid: u32) -> Option<Self> {
        let exe = File::open(exe(pid)).ok()?;
        let metadata = exe.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Self { pid, exe, exe_id: FileId::from(&metadata), occasion: Occasion::Met })
    }

    /// A path of its program's file that holds in every mount namespace, while it runs.
    #[must_use]
    pub fn exe_path(&self) -> PathBuf {
        exe(self.pid)
    }

    /// What it has in its memory by now; read anew with each call.
    #[must_use]
    pub fn maps(&self) -> Option<MemoryMaps> {
        self.process()?.maps().ok()
    }

    /// How long ago it was started, to a hundredth of a second; `None` if it has ended. Most processes
    /// of a host that are only seconds old never grow older.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let ticks = self.process()?.stat().ok()?.starttime;
        let started = Duration::from_millis(ticks * 1000 / procfs::ticks_per_second());
        let now = Duration::try_from(clock_gettime(ClockId::Boottime)).ok()?;
        Some(now.saturating_sub(started))
    }

    fn process(&self) -> Option<Process> {
        Process::new(self.pid.try_into().ok()?).ok()
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
        assert!(this.age().unwrap() < std::time::Duration::from_secs(3600));
        assert!(Candidate::open(u32::MAX).is_none());
    }
}
