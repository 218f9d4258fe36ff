//! A recording of HTTP/2 and gRPC, as `tracer record` makes it by default.

use std::process::Command;

use anyhow::{Result, ensure};
use tests::process::{Process, run};
use tests::{ports, prepare};

use crate::record::{contents, record, recording, replay, spans};
use crate::run::{LIMIT, fresh};

/// What must not be in the file.
const SECRETS: [&str; 2] = ["hunter2", "Bearer"];

fn serve(name: &str, kind: &str, address: &str) -> Result<Process> {
    let mut command = Command::new(prepare::go_rpc()?);
    let mut process = Process::start(name, command.args([kind, address]))?;
    process.wait_for("ready", LIMIT, |process| {
        ensure!(process.output().contains("ready\n"), "not ready");
        Ok(())
    })?;
    Ok(process)
}

#[test]
fn http2_is_recorded_without_secrets_and_replayed() -> Result<()> {
    let (file, live) = (recording("http2")?, fresh("record-http2")?);
    let [rpc, web] = [ports::free()?, ports::free()?].map(|port| port.to_string());
    let export = format!("file={}", live.display());
    let ports = format!("{rpc},{web}");
    let tracer = record("http2", &file, &["--port", &ports, "--export", &export])?;
    let address = format!("127.0.0.1:{rpc}");
    let _rpc = serve("record-rpc", "grpc", &address)?;
    // Several streams at once, so that header blocks lie anywhere in the operations.
    run("call", Command::new(prepare::go_rpc()?).args(["call", &address, "3", "8"]))?;
    let _web = serve("record-web", "web", &format!("127.0.0.1:{web}"))?;
    for (flag, size) in [("--http2-prior-knowledge", 300_000), ("--http2", 20)] {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--no-progress-meter", "--fail", "--noproxy", "*", flag]);
        curl.args(["--header", "X-Api-Key: hunter2", "--cookie", "session=hunter2"]);
        let url = format!("http://127.0.0.1:{web}/bytes/{size}?token=hunter2&page=1");
        run("curl", curl.args(["--output", "/dev/null", &url]))?;
    }
    let ended = tracer.stop()?;
    ensure!(ended.status.success() && ended.summary.contains("lost: nothing"), "{}", ended.summary);
    let live = spans(&std::fs::read_to_string(live)?)?;
    ensure!(live.len() == 2 * (3 * 8 * 6 + 2), "{} spans", live.len());
    ensure!(live.iter().any(|span| span.contains("token=***&page=1")), "no target");
    let (replayed, said) = replay(&file)?;
    let missing: Vec<_> = live.difference(&replayed).collect();
    let other: Vec<_> = replayed.difference(&live).collect();
    ensure!(missing.is_empty() && other.is_empty(), "{missing:#?} {other:#?} {said}");
    let contents = contents(&file)?;
    for secret in SECRETS {
        ensure!(!contents.contains(secret), "{secret}");
        ensure!(!live.iter().any(|span| span.contains(secret)), "{secret} in a span");
    }
    Ok(())
}
