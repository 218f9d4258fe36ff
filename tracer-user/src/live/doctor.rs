//! `tracer doctor`.

use std::io::{ErrorKind, Write as _};

use anyhow::Result;
use tracer_common::offsets::Offsets;

use crate::config::Settings;
use crate::kernel::{Btf, KERNEL_BTF, Probes, Selection, offsets, tracepoints};
use crate::pipeline::Directory as _;

use super::capture::boot_now;
use super::directory::Processes;
use super::existing;
use super::rights;

/// Prints what this host offers and what would be traced. `false` if tracing can't work.
///
/// # Errors
/// Of writing, only; that nobody reads on is none.
pub fn doctor(settings: &Settings) -> Result<bool> {
    let mut report = Report { text: String::new(), able: true };
    let release = rustix::system::uname();
    report.line("kernel  ", &release.release().to_string_lossy());
    report.say("rights", rights::check().map(|()| "all capabilities that tracing needs".into()));
    let found = fields();
    let uring = found.as_ref().is_ok_and(|offsets| offsets.uring.known != 0);
    let complete = "every tracepoint and every field that the probes use is there";
    report.say("BTF", found.map(|_| complete.into()));
    let probes = Probes::attach(&Selection { ring_size: 1 << 16, ..Selection::default() });
    report.say("capture", probes.map(|probes| method(&probes)));
    if report.able {
        match uring {
            true => report.line("ok      ", "io_uring: its requests' buffers can be found"),
            false => report.line("partly  ", "io_uring: sizes only, before Linux 6.10"),
        }
        services(settings, &mut report);
    }
    match std::io::stdout().write_all(report.text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(report.able),
    }
}

struct Report {
    text: String,
    /// Tracing can work.
    able: bool,
}

impl Report {
    fn line(&mut self, verdict: &str, what: &str) {
        self.text += &format!("{verdict} {what}\n");
    }

    fn say(&mut self, name: &str, result: Result<String>) {
        match result {
            Ok(text) => self.line("ok      ", &format!("{name}: {text}")),
            Err(error) => {
                self.able = false;
                self.line("MISSING ", &format!("{name}: {error:#}"));
            }
        }
    }
}

fn fields() -> Result<Offsets> {
    let blob = std::fs::read(KERNEL_BTF).map_err(|error| {
        anyhow::anyhow!(
            "{KERNEL_BTF}: {error}; Linux 6.3 or newer, built with CONFIG_DEBUG_INFO_BTF, is needed"
        )
    })?;
    let btf = Btf::parse(&blob)?;
    tracepoints(&btf)?;
    Ok(offsets(&btf)?)
}

fn method(probes: &Probes) -> String {
    let programs = probes.programs().into_iter().map(|(name, size)| match size {
        Some(size) => format!("{name} ({size} instructions verified)"),
        None => name,
    });
    let programs = programs.collect::<Vec<_>>().join(", ");
    format!("BTF tracepoints, the cheapest way: {programs}")
}

/// The processes that listen, as the services that they would be.
fn services(settings: &Settings, report: &mut Report) {
    let mut processes = Processes::new(settings);
    let now = boot_now();
    let listening = existing::listening();
    if listening.is_empty() {
        report.line("services", "none: no process listens on a TCP port");
    }
    for (pid, ports) in listening {
        let wanted = processes.wanted(pid, now).unwrap_or(true);
        let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
        report.line(
            if wanted { "traced  " } else { "left out" },
            &format!("{} (pid {pid}, port {})", processes.service(pid, now), ports.join(", ")),
        );
    }
}
