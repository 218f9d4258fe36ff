//! `tracer record`, and `tracer replay` of what it wrote.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tests::process::Process;
use tests::shop::Shop;
use tests::tracer::Tracer;
use tests::{http, paths, ports, process};
use tracer_user::recording::Reader;
use tracer_user::replay::{Input, Source as _};

use crate::run::{LIMIT, fresh, script};
use crate::server::Server;

/// A user who may do nothing.
const NOBODY: u32 = 65_534;

/// A recording that does not exist yet.
pub(crate) fn recording(name: &str) -> Result<PathBuf> {
    let file = paths::logs().join(format!("{name}.trec"));
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(file),
    }
}

fn mode(file: &Path) -> Result<u32> {
    Ok(fs::metadata(file)?.permissions().mode() & 0o7777)
}

pub(crate) fn record(name: &str, file: &Path, flags: &[&str]) -> Result<Tracer> {
    let mut command = Command::new(paths::tracer());
    command.arg("record").arg(file).args(["--settle", "100ms"]).args(flags);
    Tracer::spawn(&format!("record-{name}"), command.env_remove("RUST_LOG"))
}

/// Replays without any rights; the spans, and what was said.
pub(crate) fn replay(file: &Path) -> Result<(BTreeSet<String>, String)> {
    // The build directory and the logs may be closed to others.
    let name = file.file_stem().context("a name")?.to_string_lossy();
    let place = std::env::temp_dir().join(format!("tracer-replay-{name}-{}", std::process::id()));
    let (program, input) = (place.join("tracer"), place.join("recording"));
    fs::create_dir_all(&place)?;
    fs::copy(paths::tracer(), &program)?;
    fs::copy(file, &input)?;
    // A recording is its owner's alone.
    fs::set_permissions(&input, fs::Permissions::from_mode(0o644))?;
    let mut command = Command::new(program);
    command.arg("replay").arg(input).args(["--export", "file=-"]).uid(NOBODY).gid(NOBODY);
    let Output { status, stdout, stderr } = command.current_dir("/").output()?;
    fs::remove_dir_all(&place)?;
    let said = String::from_utf8_lossy(&stderr).into_owned();
    ensure!(status.success(), "{status}: {said}");
    Ok((spans(&String::from_utf8(stdout)?)?, said))
}

/// Every span with its resource, whole.
pub(crate) fn spans(lines: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line)?;
        for group in value["resourceSpans"].as_array().context("resourceSpans")? {
            for scope in group["scopeSpans"].as_array().context("scopeSpans")? {
                for span in scope["spans"].as_array().context("spans")? {
                    ensure!(found.insert(format!("{} {span}", group["resource"])), "twice: {span}");
                }
            }
        }
    }
    Ok(found)
}

/// All that the file holds, uncompressed.
pub(crate) fn contents(file: &Path) -> Result<String> {
    let mut reader = Reader::new(fs::File::open(file)?)?;
    let mut text = format!("{:?}", reader.header());
    while let Some(input) = reader.next()? {
        match input {
            Input::Record(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
            other => text.push_str(&format!("{other:?}")),
        }
    }
    Ok(text)
}

#[test]
fn a_replay_gives_the_spans_of_the_run() -> Result<()> {
    let shop = Shop::open()?;
    let (file, live) = (recording("shop")?, fresh("record-shop")?);
    let ports = shop.ports.map(|port| port.to_string()).join(",");
    let export = format!("file={}", live.display());
    let tracer = record("shop", &file, &["--port", &ports, "--export", &export])?;
    for customer in 0..25 {
        shop.check_out(customer)?;
    }
    let ended = tracer.stop()?;
    ensure!(ended.status.success() && ended.summary.contains("recorded: "), "{}", ended.summary);
    ensure!(ended.summary.contains("lost: nothing"), "{}", ended.summary);
    let live = spans(&fs::read_to_string(live)?)?;
    // curl, storefront, cart, and one or both of those that it asks.
    ensure!(live.len() >= 25 * 6, "{} spans", live.len());
    for _ in 0..2 {
        let (replayed, said) = replay(&file)?;
        let missing: Vec<_> = live.difference(&replayed).collect();
        ensure!(live == replayed, "{said}\nof {} missing: {missing:#?}", live.len());
        ensure!(said.contains("lost: nothing"), "{said}");
    }
    Ok(())
}

#[test]
fn no_secret_is_in_it_unless_it_is_asked_for() -> Result<()> {
    let secrets = [
        "Zm9vOmJhcg",
        "session-4f7a",
        "granted-81c2",
        "query-5d9e",
        "pass-77b3",
        "consul-3b1e",
        "azure-9c40",
        "custom-e2d7",
        "baggage-6f05",
        "answer-5a9f",
        "welcome",
    ];
    for with_secrets in [false, true] {
        let (file, port) = (recording("secrets")?, ports::free()?);
        let port_flag = port.to_string();
        let mut flags = vec!["--port", &port_flag];
        flags.extend(with_secrets.then_some("--with-secrets"));
        let tracer = record("secrets", &file, &flags)?;
        let mut script = script("secrets", "127.0.0.1", port, &["secrets"]);
        process::run("record-secrets", &mut script)?;
        let ended = tracer.stop()?;
        ensure!(ended.status.success(), "{}", ended.summary);
        ensure!(mode(&file)? == 0o600);
        let contents = contents(&file)?;
        ensure!(contents.contains("/account?page=7&token="), "{contents}");
        for secret in secrets {
            ensure!(contents.contains(secret) == with_secrets, "{secret} {with_secrets}");
        }
        let (spans, _) = replay(&file)?;
        ensure!(spans.len() == 2 && !spans.iter().any(|span| span.contains("query-5d9e")));
    }
    Ok(())
}

#[test]
fn what_was_written_before_a_violent_end_can_be_replayed() -> Result<()> {
    let server = Server::start("record-killed", &[])?;
    let (file, port) = (recording("killed")?, server.port.to_string());
    let mut command = Command::new(paths::tracer());
    command.arg("record").arg(&file).args(["--port", &port, "--settle", "100ms"]);
    let mut tracer = Process::start("record-killed-tracer", &mut command)?;
    tracer.wait_for_line("tracing:", LIMIT)?;
    server.ask("/once")?;
    // In the file within a second: wait for it, not for the clock.
    tracer.wait_for("the request in the file", LIMIT, |_| {
        ensure!(contents(&file)?.contains("GET /once"));
        Ok(())
    })?;
    server.ask("/again")?;
    tracer.wait_for("the second one", LIMIT, |_| {
        ensure!(contents(&file)?.contains("GET /again"));
        Ok(())
    })?;
    tracer.signal(Signal::KILL)?;
    tracer.wait(LIMIT)?;
    let (spans, said) = replay(&file)?;
    ensure!(spans.len() == 4, "{spans:#?}");
    ensure!(said.contains("lost: 1 recording_truncated"), "{said}");
    Ok(())
}

#[test]
fn mistakes_end_with_a_message() -> Result<()> {
    let file = recording("mistakes")?;
    fs::write(&file, "precious")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
    let run = |arguments: &[&str]| -> Result<(bool, String)> {
        let Output { status, stderr, .. } =
            Command::new(paths::tracer()).arg("record").args(arguments).output()?;
        Ok((status.success(), String::from_utf8(stderr)?))
    };
    let path = file.to_str().context("a path")?;
    let (fine, said) = run(&[path, "--duration", "100ms"])?;
    ensure!(!fine && said.contains("is there already; --force writes over it"), "{said}");
    ensure!(fs::read(&file)? == b"precious");
    let (fine, said) = run(&[path, "--duration", "100ms", "--force"])?;
    ensure!(fine && said.contains("recorded: "), "{said}");
    ensure!(mode(&file)? == 0o600);
    let link = file.with_extension("link");
    let _ = fs::remove_file(&link);
    symlink(&file, &link)?;
    let (fine, said) = run(&[link.to_str().context("a path")?, "--force"])?;
    ensure!(!fine && said.contains("it is a symbolic link"), "{said}");
    let (fine, said) = run(&["/dev/full", "--force", "--duration", "100ms"])?;
    ensure!(!fine && said.contains("/dev/full: No space left on device"), "{said}");
    let (fine, said) = run(&["-"])?;
    ensure!(!fine && said.contains("a recording goes to a file"), "{said}");
    Ok(())
}

/// Requests whose targets do not compress, until the tracer has ended by itself.
fn ends_under_load(tracer: &mut Process, server: &Server) -> Result<ExitStatus> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 1_u32;
            while !over.load(Ordering::Relaxed) {
                let mut target = String::new();
                for _ in 0..200 {
                    number = number.wrapping_mul(0x2545_f491).wrapping_add(0x9e37_79b9);
                    target.push_str(&format!("{number:x}"));
                }
                // The answers do not matter.
                let _ = http::touch(&format!("http://127.0.0.1:{}/?{target}", server.port));
            }
        });
        let status = tracer.wait(LIMIT);
        over.store(true, Ordering::Relaxed);
        status
    })
}

#[test]
fn it_ends_when_the_file_is_long_enough() -> Result<()> {
    let server = Server::start("record-long", &[])?;
    let (file, port) = (recording("long")?, server.port.to_string());
    let mut command = Command::new(paths::tracer());
    command.arg("record").arg(&file).args(["--port", &port, "--max-size", "64KiB"]);
    let mut tracer = Process::start("record-long-tracer", &mut command)?;
    tracer.wait_for_line("tracing:", LIMIT)?;
    let status = ends_under_load(&mut tracer, &server)?;
    ensure!(status.success(), "{status}: {}", tracer.log());
    let length = fs::metadata(&file)?.len();
    ensure!((64 << 10..1 << 20).contains(&length), "{length}");
    let (spans, said) = replay(&file)?;
    ensure!(!spans.is_empty() && !said.contains("truncated"), "{said}");
    Ok(())
}

/// On a file system of 128 KiB that is gone with its namespace.
#[test]
fn a_disk_that_fills_ends_it_and_what_is_written_can_be_replayed() -> Result<()> {
    let server = Server::start("record-full", &[])?;
    let (file, port) = (recording("full")?, server.port.to_string());
    let script = "mount -t tmpfs -o size=128k tmpfs /mnt || exit 9
        \"$0\" record /mnt/recording --port \"$1\" --settle 100ms
        status=$?
        cp /mnt/recording \"$2\"
        exit $status";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(paths::tracer()).arg(&port).arg(&file);
    let mut tracer = Process::start("record-full-tracer", &mut command)?;
    tracer.wait_for_line("tracing:", LIMIT)?;
    let status = ends_under_load(&mut tracer, &server)?;
    let said = tracer.log();
    ensure!(status.code() == Some(1), "{status}: {said}");
    ensure!(said.contains("/mnt/recording: No space left on device"), "{said}");
    // The last block is cut in its middle.
    let length = fs::metadata(&file)?.len();
    ensure!((64 << 10..=128 << 10).contains(&length), "{length}");
    let (spans, said) = replay(&file)?;
    ensure!(spans.len() > 20 && said.contains("lost: 1 recording_truncated"), "{said}");
    // Nobody but the recording was harmed.
    server.ask("/after").map(drop)
}
