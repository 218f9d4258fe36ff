//! The default address, where somebody else has it.

use std::net::TcpListener;
use std::process::Command;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use tests::process::Process;
use tests::traced::fresh;
use tests::{export, paths, poll};

use crate::browser::LIMIT;
use crate::telemetry::{curl, server};

const DEFAULT: &str = "127.0.0.1:7411";

#[test]
fn tracing_goes_on_without_the_page() -> Result<()> {
    // By this test, or by whoever had it before.
    let _held = TcpListener::bind(DEFAULT);
    let (_server, port) = server("page-taken-server")?;
    let file = fresh("page-taken")?;
    let mut tracer = Command::new(paths::tracer());
    tracer.args(["--no-store", "--settle", "100ms", "--data-dir"]).arg(paths::logs());
    tracer.args(["--port", &port.to_string(), "--export"]).arg(format!("file={}", file.display()));
    let mut tracer = Process::start("page-taken", tracer.env_remove("TRACER_UI"))?;
    tracer.wait_for_line("tracing:", LIMIT)?;
    ensure!(tracer.log().contains(&format!("no web page: {DEFAULT} is taken")), "{}", tracer.log());
    curl(&[&format!("http://127.0.0.1:{port}/asked")])?;
    poll::until("both spans", LIMIT, || {
        let spans = export::read(&file)?;
        ensure!(spans.len() == 2, "{spans:?}");
        Ok(())
    })?;
    let status = tracer.stop(Signal::INT, LIMIT)?;
    ensure!(status.success(), "{status}: {}", tracer.log());
    Ok(())
}
