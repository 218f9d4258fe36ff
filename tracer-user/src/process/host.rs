//! The one place that touches the host's files, all of it bounded.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use procfs::process::Process;

/// The host whose processes are looked at: where its /proc and its own files are. Tests give it a
/// directory with a made-up tree.
#[derive(Clone, Debug)]
pub struct Host {
    proc: PathBuf,
    root: PathBuf,
}

impl Host {
    /// The host that we run on.
    #[must_use]
    pub fn live() -> Self {
        Self::at("/proc", "/")
    }

    /// A host with its process tree at `proc` and its file system at `root`.
    #[must_use]
    pub fn at(proc: impl Into<PathBuf>, root: impl Into<PathBuf>) -> Self {
        Self { proc: proc.into(), root: root.into() }
    }

    /// Every process there is now, in ascending order; empty when /proc cannot be read.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let entries = std::fs::read_dir(&self.proc).into_iter().flatten().flatten();
        let mut pids: Vec<u32> =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        pids
    }

    /// `host.name`, as the kernel tells it to the tracer.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let bytes = bounded(&File::open(self.proc.join("sys/kernel/hostname")).ok()?, 256)?;
        let name = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!name.is_empty()).then_some(name)
    }

    /// A handle that stays with this very process: when it ends and its number is given away, reads
    /// fail instead of telling of another one.
    pub(super) fn open(&self, pid: u32) -> Option<Process> {
        Process::new_with_root(self.proc.join(pid.to_string())).ok()
    }

    /// Up to `limit` bytes of a file on the host, by its absolute path there.
    pub(super) fn file(&self, path: &str, limit: u64) -> Option<Vec<u8>> {
        let file = File::open(self.root.join(path.trim_start_matches('/'))).ok()?;
        file.metadata().ok()?.is_file().then_some(())?;
        bounded(&file, limit)
    }
}

/// Up to `limit` bytes of `file`.
pub(super) fn bounded(file: &File, limit: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A file below the directory `root` as a process rooted there sees it: no link, not even an
/// absolute one, leads out of it, and nothing but a regular file is read (a FIFO would block us).
pub(super) fn inside(root: &File, path: &Path, limit: u64) -> Option<Vec<u8>> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(root, path, flags, Mode::empty(), resolve).ok()?);
    file.metadata().ok()?.is_file().then_some(())?;
    bounded(&file, limit)
}

#[cfg(test)]
mod tests {
    use super::{Host, inside};
    use std::fs::File;
    use std::path::Path;

    #[test]
    fn links_do_not_lead_out_of_a_process_s_root() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secret"), "outside").unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("plain"), "inside").unwrap();
        std::os::unix::fs::symlink("/plain", root.join("absolute")).unwrap();
        std::os::unix::fs::symlink("../secret", root.join("up")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), root.join("out")).unwrap();
        let handle = File::open(&root).unwrap();
        let read = |path: &str| inside(&handle, Path::new(path), 4);
        assert_eq!(read("/plain").as_deref(), Some(&b"insi"[..]), "cut at the limit");
        assert_eq!(read("absolute").as_deref(), Some(&b"insi"[..]));
        assert_eq!(read("up"), None);
        assert_eq!(read("out"), None);
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let handle = File::open(dir.path()).unwrap();
        assert_eq!(inside(&handle, Path::new("fifo"), 16), None);
    }

    #[test]
    fn the_live_host_has_us() {
        let host = Host::live();
        assert!(host.pids().contains(&std::process::id()));
        assert!(host.name().is_some());
    }
}
