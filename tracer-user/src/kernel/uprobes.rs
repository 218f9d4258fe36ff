//! What the probes are told of processes' runtimes, and the probes on functions of user space.
//! Apart from [`super::Probes`], so that another thread can have it: the kernel takes its time to
//! attach and detach these.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use aya::Ebpf;
use aya::maps::{HashMap, Map, MapData};
use aya::programs::UProbe;
use aya::programs::uprobe::{UProbeAttachLocation, UProbeAttachPoint, UProbeLink, UProbeScope};
use tracer_common::runtime::Runtime;

use super::shared::{InodeId, Shared};

/// A place in a file at which a probe looks while one process runs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uprobe {
    /// Name of the program in the eBPF object: one of [`super::names`]'s.
    pub program: &'static str,
    /// A path of the file that holds in the tracer's mount namespace: /proc/PID/exe, or in
    /// /proc/PID/map_files.
    pub path: PathBuf,
    /// Of the instruction, in bytes from the file's beginning.
    pub offset: u64,
    /// What the program gets as its attach cookie: offsets, by its own rules.
    pub cookie: u64,
}

/// Where contexts are read, and the uprobes.
pub struct Uprobes {
    ebpf: Arc<Mutex<Ebpf>>,
    runtimes: HashMap<MapData, u32, RuntimeValue>,
    unfollowed: HashMap<MapData, u32, u32>,
    attached: BTreeMap<u32, BTreeMap<Place, UProbeLink>>,
    shared: Shared,
    /// Programs that the kernel has accepted.
    loaded: HashSet<&'static str>,
}

/// Program, offset, and file by its path.
type Place = (&'static str, u64, PathBuf);

impl Uprobes {
    pub(super) fn new(ebpf: Arc<Mutex<Ebpf>>, runtimes: Map, unfollowed: Map) -> Result<Self> {
        let runtimes = HashMap::try_from(runtimes)?;
        let unfollowed = HashMap::try_from(unfollowed)?;
        let (attached, shared, loaded) = <_>::default();
        Ok(Self { ebpf, runtimes, unfollowed, attached, shared, loaded })
    }

    /// Has the probes read which context each thread of a process runs; or no longer.
    ///
    /// # Errors
    /// The map is full.
    pub fn read_contexts(&mut self, process: u32, runtime: Option<Runtime>) -> Result<()> {
        match runtime {
            Some(runtime) => {
                let full = "too many processes whose contexts are read";
                self.runtimes.insert(process, RuntimeValue(runtime), 0).context(full)
            }
            None => {
                // Most processes are not in the map.
                let _ = self.runtimes.remove(&process);
                Ok(())
            }
        }
    }

    /// Processes that, since the last call, have written requests of which the probes did not find who
    /// waits for them.
    pub fn unfollowed(&mut self) -> Vec<u32> {
        let processes: Vec<u32> = self.unfollowed.keys().flatten().collect();
        for process in &processes {
            // Whoever is gone meanwhile need not be removed.
            let _ = self.unfollowed.remove(process);
        }
        processes
    }

    /// Has these uprobes, and no others, on a process. What is attached already stays.
    ///
    /// # Errors
    /// The first one that could not be attached; the others are.
    pub fn attach(&mut self, process: u32, uprobes: &[Uprobe]) -> Result<()> {
        let mut attached = self.attached.remove(&process).unwrap_or_default();
        let place = |uprobe: &Uprobe| (uprobe.program, uprobe.offset, uprobe.path.clone());
        let wanted: HashSet<Place> = uprobes.iter().map(place).collect();
        attached.retain(|place, _| wanted.contains(place));
        let mut outcome = Ok(());
        for uprobe in uprobes {
            let place = place(uprobe);
            if attached.contains_key(&place) {
                continue;
            }
            match self.attach_one(Some(process), uprobe) {
                Ok(link) => {
                    attached.insert(place, link);
                }
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        if !attached.is_empty() {
            self.attached.insert(process, attached);
        }
        outcome
    }

    /// Has these uprobes on a file, whoever runs it, as long as `user` does: a process, or 0 for good.
    /// If they are there already, nothing is attached again.
    ///
    /// # Errors
    /// The first one that could not be attached; the others are.
    pub fn share(&mut self, user: u32, file: InodeId, uprobes: &[Uprobe]) -> Result<()> {
        if self.shared.joins(user, file) {
            return Ok(());
        }
        let (mut links, mut outcome) = (vec![], Ok(()));
        for uprobe in uprobes {
            match self.attach_one(None, uprobe) {
                Ok(link) => links.push(link),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        self.shared.put(user, file, links);
        outcome
    }

    /// Forgets a process that has ended.
    pub fn forget(&mut self, process: u32) {
        self.attached.remove(&process);
        self.shared.leaves(process);
        let _ = self.runtimes.remove(&process);
    }

    /// `process`: only while this one runs it.
    fn attach_one(&mut self, process: Option<u32>, uprobe: &Uprobe) -> Result<UProbeLink> {
        let name = uprobe.program;
        let mut ebpf = self.ebpf.lock().unwrap_or_else(PoisonError::into_inner);
        let program = ebpf.program_mut(name).ok_or_else(|| anyhow!("no program {name}"))?;
        let program: &mut UProbe = program.try_into()?;
        if !self.loaded.contains(name) {
            program.load().with_context(|| format!("loading probe {name}"))?;
            self.loaded.insert(name);
        }
        let location = UProbeAttachLocation::AbsoluteOffset(uprobe.offset);
        let point = UProbeAttachPoint { location, cookie: Some(uprobe.cookie) };
        let scope = match process {
            Some(process) => {
                UProbeScope::OneProcess(NonZeroU32::new(process).context("process 0")?)
            }
            None => UProbeScope::AllProcesses,
        };
        let link = program.attach(point, &uprobe.path, scope);
        let link = link.with_context(|| format!("attaching probe {name}"))?;
        Ok(program.take_link(link)?)
    }
}

/// A runtime as a map's value.
#[repr(transparent)]
#[derive(Clone, Copy)]
struct RuntimeValue(Runtime);

// SAFETY: plain integers without padding, as zerocopy has checked.
unsafe impl aya::Pod for RuntimeValue {}
