//! What was learned of programs, kept in a file from one run of the tracer to the next: it can be
//! learned only while a program makes calls, and the first of them are lost to that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use super::super::Candidate;
use super::super::elf::Contents;
use super::layout::Known;

/// Its name in the data directory.
const FILE: &str = "tokio-layouts.json";
/// Of what is in it. Another version's is learned anew.
const VERSION: u32 = 1;
/// Programs that are remembered; those used least lately go first.
const MAX_PROGRAMS: usize = 256;
/// A file of so many programs is shorter.
const MAX_BYTES: u64 = 1 << 20;
/// Longest number of a build that is taken for one, bytes.
const MAX_BUILD: usize = 64;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Contained {
    version: u32,
    /// The last one was used last.
    programs: Vec<Program>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Program {
    /// As [`identity`] says.
    program: String,
    known: Known,
}

/// The file, and what is in it.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    programs: Vec<Program>,
}

impl Kept {
    /// What an earlier run has left in this directory. What can't be read is told of and written
    /// over: it can be learned again.
    pub(super) fn open(directory: &Path) -> Self {
        let path = directory.join(FILE);
        let programs = match read(&path) {
            Ok(contained) if contained.version == VERSION => contained.programs,
            Ok(contained) => {
                debug!(
                    version = contained.version,
                    "what was learned of programs is of another version"
                );
                vec![]
            }
            Err(error) if error.kind() == ErrorKind::NotFound => vec![],
            Err(error) => {
                warn!("{}: what was learned of programs is learned anew: {error}", path.display());
                vec![]
            }
        };
        let over = programs.len().saturating_sub(MAX_PROGRAMS);
        Self { path, programs: programs.into_iter().skip(over).collect() }
    }

    /// What is known of a program.
    pub(super) fn get(&mut self, identity: &str) -> Option<Known> {
        let at = self.programs.iter().position(|it| it.program == identity)?;
        let found = self.programs.remove(at);
        self.programs.push(found.clone());
        Some(found.known)
    }

    /// From now on this is known of a program; it is written at once, whole or not at all.
    pub(super) fn put(&mut self, identity: String, known: Known) {
        self.programs.retain(|it| it.program != identity);
        if self.programs.len() >= MAX_PROGRAMS {
            self.programs.remove(0);
        }
        self.programs.push(Program { program: identity, known });
        if let Err(error) = self.write() {
            debug!("{}: {error}", self.path.display());
        }
    }

    /// Without waiting for the disk, for calls are made meanwhile: what a power failure leaves
    /// unreadable is learned again.
    fn write(&self) -> io::Result<()> {
        let contained = Contained { version: VERSION, programs: self.programs.clone() };
        let text = serde_json::to_vec(&contained)?;
        let unfinished = self.path.with_extension("unfinished");
        // One that a killed run has left.
        let _ = fs::remove_file(&unfinished);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(&text)?;
        fs::rename(&unfinished, &self.path)
    }
}

fn read(path: &Path) -> io::Result<Contained> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    let file: File = options.open(path)?;
    Ok(serde_json::from_reader(BufReader::new(file.take(MAX_BYTES)))?)
}

/// Names a program's contents from run to run: by its build where it says that, wherever its file is;
/// else by its file.
pub(super) fn identity(process: &Candidate) -> String {
    let contents = Contents::new(&process.exe).ok();
    let elf = contents.as_ref().and_then(|contents| contents.elf().ok());
    let build = elf.and_then(|elf| elf.build()).filter(|build| build.len() <= MAX_BUILD);
    process.exe_id.name(build)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Candidate, FILE, Kept, Known, MAX_PROGRAMS, identity};

    fn known(waker: u64) -> Known {
        Known { waker, reader: 64, trailer: 56, join: Some(16), waits: vec![] }
    }

    #[test]
    fn what_was_learned_is_there_in_the_next_run() {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(directory.path());
        assert!(kept.get("one").is_none());
        kept.put("one".to_owned(), known(7));
        kept.put("one".to_owned(), known(8));
        let mut next = Kept::open(directory.path());
        assert_eq!((next.get("one"), next.get("two")), (Some(known(8)), None));
        let mode = fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            1,
            "nothing unfinished is left"
        );
    }

    #[test]
    fn those_that_are_used_stay_and_others_go() {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(directory.path());
        kept.put("used".to_owned(), known(1));
        for n in 0..2 * MAX_PROGRAMS as u64 {
            kept.put(n.to_string(), known(n));
            assert!(kept.get("used").is_some());
        }
        let next = Kept::open(directory.path());
        assert_eq!(next.programs.len(), MAX_PROGRAMS);
        assert!(next.programs.iter().any(|it| it.program == "used"));
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_were_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let other = r#"{"version":0,"programs":[]}"#;
        for contents in ["", "{", "[1]", other, r#"{"version":1,"programs":[{"program":"one"}]}"#] {
            fs::write(&file, contents).unwrap();
            let mut kept = Kept::open(directory.path());
            assert!(kept.programs.is_empty(), "{contents}");
            kept.put("one".to_owned(), known(1));
            assert!(Kept::open(directory.path()).get("one").is_some());
        }
    }

    #[test]
    fn programs_are_told_apart() {
        let this = Candidate::open(std::process::id()).unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let other = Candidate::open(child.id()).map(|process| identity(&process));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(identity(&this), identity(&Candidate::open(std::process::id()).unwrap()));
        assert_ne!(Some(identity(&this)), other);
    }
}
