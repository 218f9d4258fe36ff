//! A process that a test starts, with all that it starts in turn.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::{paths, poll};

/// A process group, ended when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
    log: PathBuf,
    ended: bool,
}

impl Process {
    /// Starts `command` in a process group of its own. Standard output goes to
    /// `target/e2e/NAME.out`, standard error to `NAME.log`.
    pub fn start(name: &str, command: &mut Command) -> Result<Process> {
        fs::create_dir_all(paths::logs())?;
        let output = paths::logs().join(format!("{name}.out"));
        let log = paths::logs().join(format!("{name}.log"));
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&output)?)
            .stderr(File::create(&log)?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}: {:?}", command.get_program()))?;
        Ok(Process { name: name.to_owned(), child, output, log, ended: false })
    }

    /// The group leader's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output.
    pub fn output(&self) -> String {
        text(&self.output)
    }

    /// The file of that.
    pub fn output_path(&self) -> &Path {
        &self.output
    }

    /// What it has written to standard error.
    pub fn log(&self) -> String {
        text(&self.log)
    }

    /// Waits until something listens on `port` of the loopback address.
    pub fn wait_for_port(&mut self, port: u16, limit: Duration) -> Result<()> {
        self.wait_for(&format!("port {port}"), limit, |_| {
            TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(Into::into)
        })
    }

    /// Waits for the first whole line on standard error that starts with `start`.
    pub fn wait_for_line(&mut self, start: &str, limit: Duration) -> Result<String> {
        self.wait_for(&format!("a line `{start}...`"), limit, |process| {
            let log = process.log();
            log.split_inclusive('\n')
                .find(|line| line.starts_with(start) && line.ends_with('\n'))
                .map(|line| line.trim_end().to_owned())
                .ok_or_else(|| anyhow!("no such line"))
        })
    }

    /// Waits until `ready` succeeds; fails at once, with the end of the log, if it exits.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut(&Process) -> Result<T>,
    ) -> Result<T> {
        let waited = poll::until(&format!("{}: {what}", self.name), limit, || {
            // An early exit ends the waiting: it is the result, not one more failed attempt.
            if self.exited() {
                Ok(Err(anyhow!("{} exited", self.name)))
            } else {
                ready(self).map(Ok)
            }
        });
        waited.and_then(|result| result).with_context(|| self.last_words())
    }

    /// Waits until the leader has exited by itself; then kills what is left of the group.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let ended = self.wait_for_exit("exit", limit);
        self.reap(ended)
    }

    /// Sends `signal` to the group and waits until the leader has exited; then kills what is left.
    pub fn stop(&mut self, signal: Signal, limit: Duration) -> Result<ExitStatus> {
        self.signal(signal)?;
        let ended = self.wait_for_exit(&format!("exit after {signal:?}"), limit);
        self.reap(ended)
    }

    fn wait_for_exit(&self, what: &str, limit: Duration) -> Result<()> {
        poll::until(&format!("{}'s {what}", self.name), limit, || {
            ensure!(self.exited(), "still running");
            Ok(())
        })
    }

    fn reap(&mut self, ended: Result<()>) -> Result<ExitStatus> {
        // The leader is not reaped yet, so its group id cannot be another's by now.
        let _ = kill_process_group(self.group()?, Signal::KILL);
        let status = self.child.wait()?;
        self.ended = true;
        ended.map(|()| status).with_context(|| self.last_words())
    }

    /// Sends `signal` to the group.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process_group(self.group()?, signal)
            .with_context(|| format!("cannot signal {}", self.name))
    }

    fn group(&self) -> Result<Pid> {
        let pid = i32::try_from(self.child.id())?;
        Pid::from_raw(pid).with_context(|| format!("{} has no process id", self.name))
    }

    /// Whether the leader has exited; leaves it to be waited for.
    fn exited(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.group().is_ok_and(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
    }

    fn last_words(&self) -> String {
        let (log, output) = (self.log(), self.output());
        let text = if log.trim().is_empty() { output } else { log };
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default();
        format!("{} ({}) last wrote:\n{}", self.name, self.log.display(), last.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Also where the leader has exited: what it started may still run.
        if !self.ended
            && let Err(error) = self.stop(Signal::TERM, Duration::from_secs(5))
        {
            eprintln!("{error:#}");
        }
    }
}

fn text(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Runs a command to its end.
///
/// # Errors
/// If it fails, with what it wrote to both of its outputs.
pub fn run(what: &str, command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{what}: cannot start {:?}", command.get_program()))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{what}: {}\n{stdout}{stderr}", output.status);
    }
    Ok(stdout)
}

/// Memory that a process has, KiB.
pub fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.context("no VmRSS")?.trim().trim_end_matches(" kB").parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn a_dropped_process_takes_its_children_with_it() {
        let script = "sleep 1000 & echo child $! >&2; wait";
        let mut shell =
            Process::start("test-drop", Command::new("sh").args(["-c", script])).unwrap();
        let line = shell.wait_for_line("child ", LIMIT).unwrap();
        let child = PathBuf::from("/proc").join(line.strip_prefix("child ").unwrap());
        assert!(child.exists());
        drop(shell);
        poll::until("the child's end", LIMIT, || {
            // As an orphan it may stay a zombie until something reaps it.
            let state = text(&child.join("stat"));
            ensure!(state.is_empty() || state.contains(") Z "), "state {state}");
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn an_early_exit_is_told_with_its_last_words() {
        let mut shell =
            Process::start("test-exit", Command::new("sh").args(["-c", "echo oh no >&2; exit 3"]))
                .unwrap();
        let error = format!("{:#}", shell.wait_for_line("ready", LIMIT).unwrap_err());
        assert!(error.contains("exited") && error.contains("oh no"), "{error}");
    }

    #[test]
    fn stop_gives_the_exit_status() {
        let script = "trap 'exit 7' INT; echo ready >&2; while :; do sleep 0.05; done";
        let mut shell =
            Process::start("test-stop", Command::new("sh").args(["-c", script])).unwrap();
        shell.wait_for_line("ready", LIMIT).unwrap();
        assert_eq!(shell.stop(Signal::INT, LIMIT).unwrap().code(), Some(7));
    }
}
