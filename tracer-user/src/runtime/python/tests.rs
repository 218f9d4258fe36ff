//! With whatever interpreters of the host: the one in PATH, Debian's, pyenv's.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Detector as _, Image, Memory, Python, threads};
use crate::runtime::Candidate;

/// Two threads sleep in contexts of their own, the names of which it prints.
const SCRIPT: &str = "
import contextvars, threading, sys, time
def sleep():
    context = contextvars.copy_context()
    sys.stdout.write(hex(id(context)) + '\\n')
    sys.stdout.flush()
    context.run(sys.stdin.readline)
threading.Thread(target=sleep).start()
sleep()
";

struct Interpreter(Child);

impl Drop for Interpreter {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn interpreters() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let versions = std::fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().flatten();
    let pyenv = versions.map(|version| version.path().join("bin/python3"));
    let known = (8..=14).map(|minor| PathBuf::from(format!("/usr/bin/python3.{minor}")));
    let all = pyenv.chain(known).filter(|path| path.exists()).filter(|path| recent(path));
    let all: Vec<_> = all.collect();
    if all.is_empty() { vec!["python3".into()] } else { all }
}

fn recent(path: &Path) -> bool {
    let test = "import sys; sys.exit(sys.version_info < (3, 8))";
    Command::new(path).args(["-c", test]).status().is_ok_and(|status| status.success())
}

fn start(path: &Path) -> (Interpreter, Vec<u64>) {
    let (stdin, stdout) = (Stdio::piped(), Stdio::piped());
    let started = Command::new(path).args(["-c", SCRIPT]).stdin(stdin).stdout(stdout).spawn();
    let mut child = started.unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let named = lines.take(2).map(|line| line.unwrap());
    let contexts = named.map(|name| u64::from_str_radix(&name[2..], 16).unwrap()).collect();
    (Interpreter(child), contexts)
}

/// What the probes would read, of every thread.
fn contexts(pid: u32) -> Option<Vec<u64>> {
    let process = Candidate::open(pid)?;
    let runtime = Python::default().look(&process)?.runtime?;
    let memory = Memory::of(&process).ok()?;
    let image = Image::find(&memory, &mut Default::default())?;
    let read = |thread: &threads::Thread| {
        let path = runtime.path.iter().take(runtime.steps as usize);
        let state = path
            .copied()
            .try_fold(thread.pointer, |at, step| memory.word(at.wrapping_add_signed(step.into())));
        memory.word(state?.wrapping_add_signed(runtime.context.into()))
    };
    threads::threads(&memory, image.runtime).iter().map(read).collect()
}

#[test]
fn the_context_of_every_thread_is_found_in_every_interpreter() {
    for path in interpreters() {
        let (python, mut expected) = start(&path);
        expected.sort_unstable();
        let mut found = None;
        // Between its printing and its reading a thread is not in its context yet.
        for _ in 0..200 {
            found = contexts(python.0.id()).map(|mut found| {
                found.sort_unstable();
                found
            });
            if found.as_ref() == Some(&expected) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!(found, Some(expected), "{}", path.display());
        if let Some(mut stdin) = { python }.0.stdin.take() {
            stdin.write_all(b"\n\n").unwrap();
        }
    }
}

#[test]
fn other_programs_are_not_taken_for_it() {
    let this = Candidate::open(std::process::id()).unwrap();
    assert_eq!(Python::default().look(&this), None);
}
