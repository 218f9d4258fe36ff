//! Which processes and connections are traced.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Result, ensure};
use tests::paths;
use tests::span::Side;

use crate::run::{Seen, ToFile};
use crate::server::Server;

/// Two servers, `chosen-…` and `other-…` by name, each asked once under a tracer with these flags.
struct Two {
    chosen: Server,
    other: Server,
    name: &'static str,
}

impl Two {
    fn start(name: &'static str) -> Result<Two> {
        let start = |kind: &str| {
            let service = format!("{kind}-{name}");
            Server::start(&format!("choosing-{service}"), &[("OTEL_SERVICE_NAME", &service)])
        };
        Ok(Two { chosen: start("chosen")?, other: start("other")?, name })
    }

    /// The services of the two that have server spans.
    fn traced(&self, flags: &[&str]) -> Result<BTreeSet<String>> {
        let tracer = ToFile::start(&format!("choosing-{}", self.name), flags)?;
        self.chosen.ask("/chosen")?;
        self.other.ask("/other")?;
        Ok(self.services(&tracer.stop()?))
    }

    fn services(&self, seen: &Seen) -> BTreeSet<String> {
        let ports = [self.chosen.port, self.other.port].map(|port| port.to_string());
        let ours = seen.spans.iter().filter(|span| {
            span.side == Side::Server
                && span.get("server.port").is_some_and(|port| ports.iter().any(|our| our == port))
        });
        ours.filter_map(|span| span.resource("service.name")).map(str::to_owned).collect()
    }

    fn only(&self, kinds: &[&str], flags: &[&str]) -> Result<()> {
        let wanted = kinds.iter().map(|kind| format!("{kind}-{}", self.name)).collect();
        let traced = self.traced(flags)?;
        ensure!(traced == wanted, "{flags:?}: {traced:?}, not {wanted:?}");
        Ok(())
    }
}

#[test]
fn by_pid() -> Result<()> {
    let two = Two::start("pid")?;
    let pid = two.chosen.pid().to_string();
    two.only(&["chosen"], &["--pid", &pid])?;
    two.only(&["other"], &["--exclude-pid", &pid])
}

#[test]
fn by_port() -> Result<()> {
    let two = Two::start("port")?;
    let port = two.chosen.port.to_string();
    two.only(&["chosen"], &["--port", &port])?;
    two.only(&["other"], &["--exclude-port", &port])?;
    let both = format!("{port},{}", two.other.port);
    two.only(&["other"], &["--port", &both, "--exclude-port", &port])
}

#[test]
fn by_service() -> Result<()> {
    let two = Two::start("service")?;
    two.only(&["chosen"], &["--service", "chosen-ser*"])?;
    two.only(&["other"], &["--exclude-service", "chosen-*"])?;
    two.only(&["chosen", "other"], &[])
}

/// Both run the same program, so that is only told apart from others.
#[test]
fn by_executable() -> Result<()> {
    let two = Two::start("exe")?;
    two.only(&["chosen", "other"], &["--exe", "python3*"])?;
    let path = fs::read_link(format!("/proc/{}/exe", two.chosen.pid()))?.display().to_string();
    two.only(&["chosen", "other"], &["--exe", &path])?;
    two.only(&[], &["--exe", "/*/python3*", "--exclude-exe", &path])?;
    two.only(&[], &["--exe", "curl"])?;
    two.only(&[], &["--exclude-exe", "python3*"])
}

/// A caller is a process as any other: here, this one.
#[test]
fn the_caller_alone() -> Result<()> {
    let two = Two::start("caller")?;
    let tracer = ToFile::start("choosing-caller", &["--pid", &std::process::id().to_string()])?;
    two.chosen.check()?;
    let seen = tracer.stop()?;
    let port = two.chosen.port.to_string();
    let ours = seen.spans.iter().filter(|span| span.get("server.port") == Some(&port));
    let sides: Vec<_> = ours.map(|span| span.side).collect();
    ensure!(sides == [Side::Client], "{sides:?}");
    Ok(())
}

#[test]
fn by_a_file_and_flags_over_it() -> Result<()> {
    let two = Two::start("file")?;
    let file = paths::logs().join("capture-choosing.toml");
    fs::write(&file, format!("[trace]\nport = [{}]\n", two.other.port))?;
    let file = file.display().to_string();
    two.only(&["other"], &["--config", &file])?;
    two.only(&["chosen"], &["--config", &file, "--port", &two.chosen.port.to_string()])
}

/// A program that is over in milliseconds is chosen while it runs.
#[test]
fn the_short_lived() -> Result<()> {
    let two = Two::start("brief")?;
    let tracer = ToFile::start("choosing-brief", &["--exe", "curl"])?;
    for n in 0..5 {
        two.chosen.ask(&format!("/brief{n}"))?;
    }
    let seen = tracer.stop()?;
    let port = two.chosen.port.to_string();
    let ours = seen.spans.iter().filter(|span| span.get("server.port") == Some(&port));
    let ours: Vec<_> = ours.map(|span| (span.side, span.resource("service.name"))).collect();
    ensure!(ours == [(Side::Client, Some("curl")); 5], "{ours:?}");
    Ok(())
}
