//! What /proc says of one process, read once.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use procfs::FromRead;
use procfs::process::{Process, Stat};
use rustix::fs::OFlags;

use super::cgroup::Cgroup;
use super::host::{Host, bounded, inside};

/// Most bytes read of an environment or a command line; a page-sized one is the rule.
const TEXT_LIMIT: u64 = 128 * 1024;
/// Most bytes read of stat and cgroup.
const TABLE_LIMIT: u64 = 64 * 1024;

/// The only variables that are kept of an environment.
const VARIABLES: [&str; 5] =
    ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "FLASK_APP", "HOSTNAME", KUBERNETES];
/// Set by Kubernetes in every container of a pod.
const KUBERNETES: &str = "KUBERNETES_SERVICE_HOST";

/// One process as it was when it was read.
pub struct Facts {
    /// Its id.
    pub pid: u32,
    /// Its parent's id; 0 for none.
    pub parent: u32,
    /// Clock ticks from boot to its start: with the id, it names the process until the next boot.
    pub start_time: u64,
    /// Name of its first thread, at most 15 bytes.
    pub comm: String,
    /// Its program; `None` for a kernel thread, or one that we may not look at.
    pub exe: Option<PathBuf>,
    pub(super) arguments: Vec<String>,
    pub(super) cgroup: Cgroup,
    environment: BTreeMap<&'static str, String>,
    handle: Process,
}

impl Facts {
    /// Reads them; `None` when there is no such process (any more).
    #[must_use]
    pub fn read(host: &Host, pid: u32) -> Option<Self> {
        let handle = host.open(pid)?;
        let stat = read_stat(&handle)?;
        let text = |name, limit| {
            let bytes = bounded(&handle.open_relative(name).ok()?, limit)?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        Some(Self {
            pid,
            parent: u32::try_from(stat.ppid).unwrap_or(0),
            start_time: stat.starttime,
            exe: handle.exe().ok().filter(|path| path.is_absolute()).map(undeleted),
            arguments: arguments(&text("cmdline", TEXT_LIMIT).unwrap_or_default()),
            environment: environment(&text("environ", TEXT_LIMIT).unwrap_or_default()),
            cgroup: Cgroup::parse(&text("cgroup", TABLE_LIMIT).unwrap_or_default()),
            comm: stat.comm,
            handle,
        })
    }

    /// When it started, without reading the rest.
    pub(super) fn start_time(host: &Host, pid: u32) -> Option<u64> {
        Some(read_stat(&host.open(pid)?)?.starttime)
    }

    /// One of the few variables that names are made of.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Is it in a Kubernetes pod?
    pub(super) fn in_pod(&self) -> bool {
        self.variable(KUBERNETES).is_some()
    }

    /// File name of its program.
    pub(super) fn program(&self) -> Option<&str> {
        self.exe.as_deref()?.file_name()?.to_str()
    }

    /// The text that it put in the place of its command line (setproctitle), if it did: such a text
    /// is a single argument with words in it.
    pub(super) fn title(&self) -> Option<&str> {
        let [only] = self.arguments.as_slice() else { return None };
        let of_exe = self.exe.as_deref().is_some_and(|exe| exe == Path::new(only));
        (only.contains(' ') && !of_exe).then_some(only.trim())
    }

    /// Where it works, as it sees it.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        self.handle.cwd().ok().filter(|path| path.is_absolute())
    }

    /// `path` made absolute and plain (no `.` or `..`), as the process sees it.
    pub(super) fn absolute(&self, path: &Path) -> Option<PathBuf> {
        let whole = if path.is_absolute() { path.to_owned() } else { self.directory()?.join(path) };
        let mut plain = PathBuf::new();
        for part in whole.components() {
            match part {
                Component::ParentDir => {
                    plain.pop();
                }
                Component::CurDir => {}
                other => plain.push(other),
            }
        }
        Some(plain)
    }

    /// Up to `limit` bytes of a file, by its absolute path in the process's own file system.
    pub(super) fn file(&self, path: &Path, limit: u64) -> Option<Vec<u8>> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root: File = self.handle.open_relative_flags("root", flags).ok()?;
        inside(&root, path, limit)
    }
}

/// Leaves out what may be secret.
impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("pid", &self.pid)
            .field("parent", &self.parent)
            .field("start_time", &self.start_time)
            .field("exe", &self.exe)
            .finish_non_exhaustive()
    }
}

fn read_stat(handle: &Process) -> Option<Stat> {
    let bytes = bounded(&handle.open_relative("stat").ok()?, TABLE_LIMIT)?;
    Stat::from_read(bytes.as_slice()).ok()
}

/// The kernel marks the path of a program that was replaced while it runs (d_path in fs/d_path.c).
fn undeleted(path: PathBuf) -> PathBuf {
    match path.to_str().and_then(|text| text.strip_suffix(" (deleted)")) {
        Some(text) => PathBuf::from(text),
        None => path,
    }
}

fn arguments(text: &str) -> Vec<String> {
    text.trim_end_matches(['\0', ' ']).split('\0').map(str::to_owned).collect()
}

fn environment(text: &str) -> BTreeMap<&'static str, String> {
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    pairs
        .filter_map(|(name, value)| {
            let name = VARIABLES.into_iter().find(|known| *known == name)?;
            Some((name, value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Facts;
    use crate::process::Host;
    use crate::process::fake::Fake;

    #[test]
    fn a_live_process_is_read() {
        let facts = Facts::read(&Host::live(), std::process::id()).unwrap();
        assert_eq!(facts.exe, std::env::current_exe().ok());
        assert_eq!(facts.directory(), std::env::current_dir().ok());
        assert_eq!(facts.parent, std::os::unix::process::parent_id());
        assert!(facts.start_time > 0);
        assert_eq!(facts.arguments.len(), std::env::args().count());
    }

    #[test]
    fn nothing_but_known_variables_is_kept_or_shown() {
        let fake = Fake::new();
        fake.process(7)
            .command(&["/bin/x", "--password=hunter2"])
            .environment(&[("API_KEY", "hunter2"), ("FLASK_APP", "shop")])
            .write();
        let facts = Facts::read(&fake.host(), 7).unwrap();
        assert_eq!(facts.environment.len(), 1);
        assert_eq!(facts.variable("FLASK_APP"), Some("shop"));
        assert!(!format!("{facts:?}").contains("hunter2"));
    }

    #[test]
    fn a_huge_environment_is_cut() {
        let fake = Fake::new();
        let filler = "x".repeat(200 * 1024);
        fake.process(7)
            .environment(&[("FILLER", &filler), ("OTEL_SERVICE_NAME", "too-far")])
            .write();
        let facts = Facts::read(&fake.host(), 7).unwrap();
        assert_eq!(facts.variable("OTEL_SERVICE_NAME"), None);
    }

    #[test]
    fn garbage_is_no_process() {
        let fake = Fake::new();
        fake.process(7).write();
        std::fs::write(fake.proc().join("7/stat"), "7 (x").unwrap();
        assert!(Facts::read(&fake.host(), 7).is_none());
        assert!(Facts::read(&fake.host(), 8).is_none());
    }

    #[test]
    fn a_replaced_program_keeps_its_name() {
        let fake = Fake::new();
        fake.process(7).exe("/srv/cart (deleted)").write();
        let facts = Facts::read(&fake.host(), 7).unwrap();
        assert_eq!(facts.exe.unwrap().to_str(), Some("/srv/cart"));
    }
}
