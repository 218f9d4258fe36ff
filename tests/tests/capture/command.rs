//! The command line: what it refuses, what it says, and how it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use tests::process::Process;
use tests::tracer::Tracer;
use tests::{paths, poll, ports};

use crate::run::{LIMIT, fresh};
use crate::server::Server;

fn tracer(arguments: &[&str]) -> Result<Output> {
    output(Command::new(paths::tracer()).args(arguments))
}

fn output(command: &mut Command) -> Result<Output> {
    command
        .env_remove("RUST_LOG")
        .env("TRACER_UI", "off")
        .env("TRACER_NO_STORE", "true")
        .output()
        .with_context(|| format!("{command:?}"))
}

/// It failed with one line that has all of `words`, and wrote nothing else.
fn refused(output: &Output, words: &[&str]) -> Result<()> {
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success() && output.status.code().is_some(), "{}", output.status);
    ensure!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    ensure!(error.trim_end().lines().count() == 1, "not one line: {error}");
    for word in words {
        ensure!(error.contains(word), "not {word:?}: {error}");
    }
    Ok(())
}

#[test]
fn bad_values_are_refused_by_name() -> Result<()> {
    for (flag, value, word) in [
        ("--export", "carrier-pigeon=http://127.0.0.1", "carrier-pigeon"),
        ("--export", "file=/nowhere/at/all/spans.jsonl", "/nowhere/at/all/spans.jsonl"),
        ("--config", "/nowhere/tracer.toml", "/nowhere/tracer.toml"),
        ("--service", "a[b", "a[b"),
    ] {
        refused(&tracer(&[flag, value])?, &["tracer: ", word])?;
    }
    // These are clap's: the flag, what is wrong with it, and where to read on.
    for (flags, word) in [
        (&["--min-confidence", "2"][..], "--min-confidence"),
        (&["--port", "70000"], "--port"),
        (&["--sprot", "1"], "--sprot"),
    ] {
        let output = tracer(flags)?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(2) && error.contains(word), "{flags:?}: {error}");
    }
    Ok(())
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line() -> Result<()> {
    let file = paths::logs().join("capture-wrong.toml");
    fs::create_dir_all(paths::logs())?;
    fs::write(&file, "min_confidence = 0.5\nsettel = \"1s\"\n")?;
    let name = file.display().to_string();
    refused(&tracer(&["--config", &name])?, &[&format!("{name}:2"), "settel"])
}

/// As nobody, who can reach nothing below a home directory: so from a copy.
#[test]
fn without_rights_it_says_so() -> Result<()> {
    let copy = std::env::temp_dir().join(format!("tracer-test-{}", std::process::id()));
    fs::copy(paths::tracer(), &copy)?;
    let result = fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))
        .map_err(Into::into)
        .and_then(|()| {
            let nobody = || {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
                command.current_dir("/");
                command
            };
            let doctor = output(nobody().arg("doctor"))?;
            Ok((output(&mut nobody())?, doctor))
        });
    fs::remove_file(&copy)?;
    let (run, doctor): (Output, Output) = result.map_err(|error: anyhow::Error| error)?;
    refused(&run, &["tracer: ", "not allowed", "CAP_BPF", "root"])?;
    let text = String::from_utf8_lossy(&doctor.stdout);
    ensure!(doctor.status.code() == Some(1), "{}: {text}", doctor.status);
    ensure!(text.contains("MISSING  rights") && text.contains("CAP_BPF"), "{text}");
    Ok(())
}

#[test]
fn doctor_tells_what_would_be_traced() -> Result<()> {
    let [chosen, other] = ["chosen-doctor", "other-doctor"]
        .map(|name| Server::start(&format!("command-{name}"), &[("OTEL_SERVICE_NAME", name)]));
    let (chosen, other) = (chosen?, other?);
    let output = tracer(&["doctor", "--service", "chosen-*"])?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{}: {text}", output.status);
    for (verdict, name, server) in
        [("traced  ", "chosen-doctor", &chosen), ("left out", "other-doctor", &other)]
    {
        let line = format!("{verdict} {name} (pid {}, port {})", server.pid(), server.port);
        ensure!(text.lines().any(|it| it == line), "no {line:?} in {text}");
    }
    for name in ["rights", "BTF", "capture"] {
        ensure!(text.contains(&format!("ok       {name}: ")), "{text}");
    }
    ensure!(text.contains("sock_send_length"), "{text}");
    ensure!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// All that it says: that it traces, and at its end how many spans went where and what was lost.
fn said(log: &str, exporter: &str) -> Result<()> {
    let lines: Vec<&str> = log.lines().collect();
    ensure!(lines.len() == 3, "{log}");
    let spans = format!(" spans to {exporter}");
    ensure!(lines[0].starts_with("tracing: ") && lines[0].contains(exporter), "{log}");
    ensure!(lines[1].starts_with("exported: ") && lines[1].ends_with(&spans), "{log}");
    ensure!(lines[2] == "lost: nothing", "{log}");
    Ok(())
}

#[test]
fn signals_end_it_well() -> Result<()> {
    for (signal, name) in [(Signal::INT, "command-int"), (Signal::TERM, "command-term")] {
        let server = Server::start(&format!("{name}-server"), &[])?;
        let file = format!("file={}", fresh(name)?.display());
        let mut command = Command::new(paths::tracer());
        command.args(["--port", &server.port.to_string(), "--export", &file]);
        command.env_remove("RUST_LOG").env("TRACER_UI", "off").env("TRACER_NO_STORE", "true");
        let mut process = Process::start(name, &mut command)?;
        process.wait_for_line("tracing:", LIMIT)?;
        server.ask("/asked")?;
        let status = process.stop(signal, LIMIT)?;
        ensure!(status.code() == Some(0), "{signal:?}: {status}");
        said(&process.log(), &file)?;
        ensure!(process.log().contains("exported: 2 spans"), "{}", process.log());
        ensure!(process.output().is_empty(), "{}", process.output());
    }
    Ok(())
}

#[test]
fn a_duration_ends_it() -> Result<()> {
    let server = Server::start("command-duration-server", &[])?;
    let start = Instant::now();
    let output = tracer(&["--duration", "1500ms", "--port", &server.port.to_string()])?;
    ensure!(start.elapsed() >= Duration::from_millis(1500), "{:?}", start.elapsed());
    ensure!(output.status.success(), "{}", output.status);
    said(&String::from_utf8_lossy(&output.stderr), "stdout")
}

/// The kernel goes on removing uprobes when the tracer has ended. Whoever waits for that has nothing that
/// the next one needs, and ends, too.
#[test]
fn the_next_one_can_start_at_once() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("tracer-again-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    // By its path it is told from the tracers of other tests.
    let copy = directory.join("tracer");
    fs::copy(paths::tracer(), &copy)?;
    let page = format!("127.0.0.1:{}", ports::free()?);
    for _ in 0..3 {
        let mut command = Command::new(&copy);
        command.args(["--duration", "100ms", "--ui", &page, "--data-dir"]).arg(&directory);
        let output = command.env_remove("RUST_LOG").output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && said.contains(&page), "{}: {said}", output.status);
        ensure!(said.contains(&format!(" in {}", directory.display())), "nothing kept: {said}");
    }
    poll::until("all of them to end", LIMIT, || {
        let running = procfs::process::all_processes()?.flatten().find(|process| {
            let exe = process.exe();
            exe.is_ok_and(|exe| exe == copy)
        });
        running.map_or(Ok(()), |process| bail!("{process:?}"))
    })?;
    Ok(fs::remove_dir_all(&directory)?)
}

#[test]
fn without_flags_a_span_is_a_line() -> Result<()> {
    let server = Server::start("command-lines-server", &[("OTEL_SERVICE_NAME", "lines-server")])?;
    let port = server.port.to_string();
    let tracer = Tracer::start("command-lines", &["--settle", "100ms", "--port", &port])?;
    server.ask("/line")?;
    let output = tracer.output_path();
    ensure!(tracer.stop()?.status.success(), "it failed");
    let text = fs::read_to_string(output)?;
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("GET /line")).collect();
    ensure!(lines.len() == 2 && lines.iter().all(|line| line.contains("404")), "{text}");
    ensure!(lines.iter().any(|line| line.contains("lines-server")), "{text}");
    Ok(())
}
