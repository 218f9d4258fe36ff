//! Commands as steps: announced, timed, and reported as failed with what was run.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// A line says that a step still runs after each of these.
const STILL: Duration = Duration::from_secs(30);

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
    fn output_is_none_on_failure() {
        assert_eq!(output(Command::new("sh").args(["-c", "echo x"])).as_deref(), Some("x\n"));
        assert_eq!(output(Command::new("sh").args(["-c", "echo x; exit 1"])), None);
    }
}
