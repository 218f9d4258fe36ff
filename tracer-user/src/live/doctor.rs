//! `tracer doctor`.

use anyhow::Result;

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
/// Of writing, only.
pub fn doctor(settings: &Settings) -> Result<bool> {
    let mut able = true;
    let mut say = |name: &str, result: Result<String>| match result {
        Ok(text) => println!("ok       {name}: {text}"),
        Err(error) => {
            able = false;
            println!("MISSING  {name}: {error:#}");
        }
    };
    let release = rustix::system::uname();
    println!("kernel   {}", release.release().to_string_lossy());
    say("rights", rights::check().map(|()| "all capabilities that tracing needs".into()));
    say("BTF", btf());
    let probes = Probes::attach(&Selection { ring_size: 1 << 16, ..Selection::default() });
    say(
        "capture",
        probes.map(|probes| {
            let programs = probes.programs().into_iter().map(|(name, size)| match size {
                Some(size) => format!("{name} ({size} instructions verified)"),
                None => name,
            });
            format!(
                "BTF tracepoints, the cheapest way: {}",
                programs.collect::<Vec<_>>().join(", ")
            )
        }),
    );
    if able {
        services(settings);
    }
    Ok(able)
}

fn btf() -> Result<String> {
    let blob = std::fs::read(KERNEL_BTF).map_err(|error| {
        anyhow::anyhow!(
            "{KERNEL_BTF}: {error}; Linux 6.3 or newer, built with CONFIG_DEBUG_INFO_BTF, is needed"
        )
    })?;
    let btf = Btf::parse(&blob)?;
    tracepoints(&btf)?;
    offsets(&btf)?;
    Ok("every tracepoint and every field that the probes use is there".into())
}

/// The processes that listen, as the services that they would be.
fn services(settings: &Settings) {
    let mut processes = Processes::new(settings);
    let now = boot_now();
    let listening = existing::listening();
    if listening.is_empty() {
        println!("services none: no process listens on a TCP port");
    }
    for (pid, ports) in listening {
        let verdict =
            if processes.wanted(pid, now).unwrap_or(true) { "traced  " } else { "left out" };
        let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
        println!(
            "{verdict} {} (pid {pid}, port {})",
            processes.service(pid, now),
            ports.join(", ")
        );
    }
}
