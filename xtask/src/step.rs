//! Commands as steps: announced, timed, and reported as failed with what was run.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A line says that a step still runs after each of these.
const STILL: Duration = Duration::from_secs(30);
/// Bytes of a test program's output that are kept to find its failures in.
const KEPT: usize = 64 << 10;

/// Runs `command` to its end, with no standard input. Its output goes to the terminal.
///
/// # Errors
/// If it cannot be started or ends with anything but success.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    println!("==> {what}");
    timed(what, || {
        let status = command
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot start {}", line(command)))?;
        ensure!(status.success(), "{what}: {} ended with {status}", line(command));
        Ok(())
    })
}

/// Runs a test program as [`run`] does. What it says of its failures is in the error, too, so that it
/// can be said again where a long run ends.
///
/// # Errors
/// If it cannot be started or ends with anything but success.
pub(crate) fn test(what: &str, command: &mut Command) -> Result<()> {
    println!("==> {what}");
    timed(what, || {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", line(command)))?;
        let mut output = child.stdout.take().context("its output is no pipe")?;
        let kept = pass_on(&mut output, &mut io::stdout())?;
        let status = child.wait()?;
        if status.success() {
            return Ok(());
        }
        bail!("{what}: {} ended with {status}\n{}", line(command), failures(&kept))
    })
}

/// Passes on what comes, and keeps the end of it.
fn pass_on(from: &mut impl Read, to: &mut impl Write) -> io::Result<Vec<u8>> {
    let (mut kept, mut chunk) = (Vec::new(), [0; 8 << 10]);
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok(kept);
        }
        to.write_all(&chunk[..read])?;
        to.flush()?;
        kept.extend_from_slice(&chunk[..read]);
        kept.drain(..kept.len().saturating_sub(KEPT));
    }
}

/// What libtest, or libtest-mimic, says of the tests that failed, else the end of what was said.
fn failures(output: &[u8]) -> String {
    let output = String::from_utf8_lossy(output);
    let lines: Vec<&str> = output.lines().collect();
    let first = lines.iter().position(|line| *line == "failures:");
    lines[first.unwrap_or(lines.len().saturating_sub(20))..].join("\n")
}

/// Runs `work`, says every half minute that it still runs, and how long a slow one took.
pub(crate) fn timed<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let (done, ended) = mpsc::channel::<()>();
    let name = what.to_owned();
    let clock = thread::spawn(move || {
        while ended.recv_timeout(STILL) == Err(mpsc::RecvTimeoutError::Timeout) {
            println!("    ... {name}: {} s so far", start.elapsed().as_secs());
        }
    });
    let result = work();
    drop(done);
    // Only a panic while printing could make this fail, and then there is nobody to tell.
    let _ = clock.join();
    if result.is_ok() && start.elapsed() > Duration::from_secs(5) {
        println!("    {what}: done in {:.0} s", start.elapsed().as_secs_f64());
    }
    result
}

/// What `command` writes to standard output, or `None` if it cannot be run or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one would type it, without its environment.
pub(crate) fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_names_its_command() {
        let error = run("check", Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("sh -c exit 3") && text.contains('3'), "{text}");
        let error = run("check", &mut Command::new("no-such-program-here")).unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program-here"));
    }

    #[test]
    fn a_failed_test_programs_error_says_what_failed() {
        let script = r"seq 20000; printf '\nfailures:\n\n---- a ----\nboom\n'; exit 1";
        let error = test("tests", Command::new("sh").args(["-c", script])).unwrap_err();
        let text = error.to_string();
        let (_, failures) = text.split_once('\n').unwrap();
        assert_eq!(failures, "failures:\n\n---- a ----\nboom");
        test("tests", Command::new("sh").args(["-c", "exit 0"])).unwrap();
        let error = test("tests", Command::new("sh").args(["-c", "echo no; exit 1"])).unwrap_err();
        assert!(error.to_string().ends_with("\nno"), "{error}");
    }

    #[test]
    fn output_is_none_on_failure() {
        assert_eq!(output(Command::new("sh").args(["-c", "echo x"])).as_deref(), Some("x\n"));
        assert_eq!(output(Command::new("sh").args(["-c", "echo x; exit 1"])), None);
    }
}
