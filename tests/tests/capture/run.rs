//! The tracer beside the programs that it watches.

use std::process::Command;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use tests::process::{self, Process};
pub(crate) use tests::traced::{LIMIT, Seen, ToFile, fresh};
use tests::{paths, ports};

/// The script's command: see `tests/services/sockets/__main__.py`.
pub(crate) fn script(module: &str, address: &str, port: u16, cases: &[&str]) -> Command {
    let mut python = Command::new("python3");
    python.arg("-B").arg(paths::service_sources().join("sockets"));
    python.args([module, address, &port.to_string()]).args(cases);
    python
}

/// Runs cases under a tracer that sees nothing but them.
pub(crate) fn traced(name: &str, module: &str, address: &str, cases: &[&str]) -> Result<Seen> {
    let port = ports::free()?;
    let tracer = ToFile::start(name, &["--port", &port.to_string()])?;
    let notes = process::run(name, &mut script(module, address, port, cases))?;
    Ok(Seen { notes, ..tracer.stop()? })
}

/// Runs cases that begin before the tracer does.
pub(crate) fn traced_late(name: &str, cases: &[&str]) -> Result<Seen> {
    let port = ports::free()?;
    let mut started = Process::start(name, &mut script("before", "127.0.0.1", port, cases))?;
    started.wait_for("both sides", LIMIT, |process| {
        let waiting = process.log().matches("waiting").count();
        ensure!(waiting == 2, "{waiting} sides are waiting");
        Ok(())
    })?;
    let tracer = ToFile::start(name, &["--port", &port.to_string()])?;
    started.signal(Signal::USR1)?;
    let status = started.wait(LIMIT)?;
    ensure!(status.success(), "{status}: {}", started.log());
    tracer.stop()
}
