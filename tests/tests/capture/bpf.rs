//! What the tracer has in the kernel: counters, and nothing once it is gone.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use aya::maps::{Map, MapData, MapInfo, PerCpuArray, loaded_maps};
use aya::programs::loaded_programs;
use rustix::process::{Pid, Signal, kill_process};
use tests::poll;
use tracer_common::counter::Counter;

use crate::run::{LIMIT, ToFile};
use crate::server::Server;

/// Ids of BPF programs and maps.
#[derive(Debug, Default)]
struct Objects {
    programs: BTreeSet<u32>,
    maps: BTreeSet<u32>,
}

impl Objects {
    /// Those that a process holds, from its /proc/PID/fdinfo (Documentation/filesystems/proc.rst).
    fn of(pid: u32) -> Result<Objects> {
        let mut objects = Objects::default();
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
            // A descriptor may be closed by now.
            let text = fs::read_to_string(entry?.path()).unwrap_or_default();
            for line in text.lines() {
                let id = |name: &str| line.strip_prefix(name)?.trim().parse::<u32>().ok();
                objects.programs.extend(id("prog_id:"));
                objects.maps.extend(id("map_id:"));
            }
        }
        ensure!(!objects.programs.is_empty() && !objects.maps.is_empty(), "{objects:?} of {pid}");
        Ok(objects)
    }

    /// The kernel frees what nobody holds a little later.
    fn gone(&self) -> Result<()> {
        poll::until("the end of the tracer's programs and maps", LIMIT, || {
            let programs = loaded_programs().filter_map(Result::ok).map(|program| program.id());
            let left: Vec<_> = programs.filter(|id| self.programs.contains(id)).collect();
            ensure!(left.is_empty(), "programs {left:?} are left");
            let maps = loaded_maps().filter_map(Result::ok).map(|map| map.id());
            let left: Vec<_> = maps.filter(|id| self.maps.contains(id)).collect();
            ensure!(left.is_empty(), "maps {left:?} are left");
            Ok(())
        })
    }
}

/// A counter of the tracer with this process id, summed over the processors.
pub(crate) fn count(pid: u32, counter: Counter) -> Result<u64> {
    for id in Objects::of(pid)?.maps {
        let info = MapInfo::from_id(id)?;
        if info.name_as_str() == Some("COUNTS") {
            let map = Map::PerCpuArray(MapData::from_id(id)?);
            let counts = PerCpuArray::<_, u64>::try_from(map)?;
            return Ok(counts.get(&(counter as u32), 0)?.iter().sum());
        }
    }
    None.context("the tracer has no map COUNTS")
}

#[test]
fn nothing_stays_after_the_end() -> Result<()> {
    let server = Server::start("bpf-end-server", &[])?;
    let tracer = ToFile::start("bpf-end", &["--port", &server.port.to_string()])?;
    let objects = Objects::of(tracer.tracer.pid())?;
    server.ask("/before")?;
    ensure!(tracer.stop()?.spans.len() == 2, "not both sides");
    objects.gone()?;
    server.check()
}

#[test]
fn nothing_stays_after_kill() -> Result<()> {
    let server = Server::start("bpf-kill-server", &[])?;
    let tracer = ToFile::start("bpf-kill", &["--port", &server.port.to_string()])?;
    let pid = tracer.tracer.pid();
    let objects = Objects::of(pid)?;
    server.ask("/before")?;
    kill_process(Pid::from_raw(i32::try_from(pid)?).context("no pid")?, Signal::KILL)?;
    objects.gone()?;
    server.check()
}
