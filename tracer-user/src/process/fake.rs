//! A made-up host for tests: a process tree and a file system in a temporary directory.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::Host;

pub(crate) struct Fake {
    dir: tempfile::TempDir,
}

/// One process to be written; whatever is not said is plain.
pub(crate) struct FakeProcess<'a> {
    fake: &'a Fake,
    pid: u32,
    parent: u32,
    start_time: u64,
    comm: String,
    exe: String,
    directory: String,
    command: Vec<u8>,
    environment: Vec<u8>,
    cgroup: String,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Self { dir };
        std::fs::create_dir_all(fake.proc().join("sys/kernel")).unwrap();
        std::fs::create_dir_all(fake.root()).unwrap();
        std::fs::write(fake.proc().join("sys/kernel/hostname"), "box\n").unwrap();
        fake
    }

    pub(crate) fn proc(&self) -> PathBuf {
        self.dir.path().join("proc")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub(crate) fn host(&self) -> Host {
        Host::at(self.proc(), self.root())
    }

    /// A file of the host, which is also the root of every process.
    pub(crate) fn file(&self, path: &str, content: &str) {
        let path = self.root().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn process(&self, pid: u32) -> FakeProcess<'_> {
        FakeProcess {
            fake: self,
            pid,
            parent: 1,
            start_time: 1000,
            comm: "thing".into(),
            exe: "/usr/bin/thing".into(),
            directory: "/".into(),
            command: b"thing\0".to_vec(),
            environment: Vec::new(),
            cgroup: "0::/\n".into(),
        }
    }

    pub(crate) fn end(&self, pid: u32) {
        std::fs::remove_dir_all(self.proc().join(pid.to_string())).unwrap();
    }
}

impl FakeProcess<'_> {
    pub(crate) fn parent(mut self, pid: u32) -> Self {
        self.parent = pid;
        self
    }

    pub(crate) fn start_time(mut self, ticks: u64) -> Self {
        self.start_time = ticks;
        self
    }

    pub(crate) fn exe(mut self, path: &str) -> Self {
        self.exe = path.into();
        self
    }

    pub(crate) fn directory(mut self, path: &str) -> Self {
        self.directory = path.into();
        self
    }

    pub(crate) fn command(mut self, arguments: &[&str]) -> Self {
        self.command = arguments.iter().flat_map(|a| [a.as_bytes(), b"\0"].concat()).collect();
        self
    }

    pub(crate) fn environment(mut self, pairs: &[(&str, &str)]) -> Self {
        self.environment =
            pairs.iter().flat_map(|(n, v)| format!("{n}={v}\0").into_bytes()).collect();
        self
    }

    pub(crate) fn cgroup(mut self, path: &str) -> Self {
        self.cgroup = format!("0::{path}\n");
        self
    }

    pub(crate) fn write(self) {
        let dir = self.fake.proc().join(self.pid.to_string());
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).unwrap();
        let link = |name: &str, to: &Path| symlink(to, dir.join(name)).unwrap();
        // The fields of proc_pid_stat(5): 3 state, 4 ppid, 22 starttime, 52 in all.
        let mut fields = vec!["0".to_owned(); 50];
        fields[0] = "S".into();
        fields[1] = self.parent.to_string();
        fields[19] = self.start_time.to_string();
        write("stat", format!("{} ({}) {}\n", self.pid, self.comm, fields.join(" ")).as_bytes());
        write("cmdline", &self.command);
        write("environ", &self.environment);
        write("cgroup", self.cgroup.as_bytes());
        link("exe", Path::new(&self.exe));
        link("cwd", Path::new(&self.directory));
        link("root", &self.fake.root());
    }
}
