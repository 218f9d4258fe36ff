//! Processes as /proc and the filter know them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::config::{Filter, Settings, Verdict};
use crate::pipeline::Directory;
use crate::process::{Host, ProcessTable};
use crate::trace::Resource;

use super::capture::boot_now;
use super::runtimes::Runtimes;

/// Most processes whose identity is kept.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// The host's processes.
pub(super) struct Processes {
    table: ProcessTable,
    filter: Filter,
    runtimes: Option<Runtimes>,
}

impl Processes {
    pub(super) fn new(settings: &Settings) -> Self {
        let (rules, extra) = (settings.rules.clone(), settings.resource.clone());
        Self {
            table: ProcessTable::new(Host::live(), rules, extra, CAPACITY),
            filter: settings.filter.clone(),
            runtimes: None,
        }
    }

    /// From now on processes' runtimes are looked at, too.
    pub(super) fn look_at_runtimes(&mut self, runtimes: Runtimes) {
        self.runtimes = Some(runtimes);
    }

    fn look(&mut self, pid: u32, now: u64) {
        let Some(runtimes) = self.runtimes.clone() else { return };
        match self.wanted(pid, now) {
            Some(false) => runtimes.ended(pid),
            _ => runtimes.look(pid),
        }
    }

    /// Every process of the host, and whether it is to be traced.
    pub(super) fn all(&mut self, now: u64) -> Vec<(u32, bool)> {
        let pids = self.table.pids();
        pids.into_iter().map(|pid| (pid, self.wanted(pid, now).unwrap_or(true))).collect()
    }

    /// A process's service.
    pub(super) fn service(&mut self, pid: u32, now: u64) -> Arc<str> {
        self.table.get(pid, now).service().clone()
    }
}

impl Directory for Processes {
    fn resource(&mut self, pid: u32, now: u64) -> Arc<Resource> {
        self.table.get(pid, now).resource.clone()
    }

    fn meet(&mut self, pid: u32, comm: &str, now: u64) {
        self.table.hint(pid, comm);
        self.table.get(pid, now);
        self.look(pid, now);
    }

    fn takes_over(&mut self, pid: u32, from: u32) {
        self.table.inherits(pid, from);
    }

    fn speaks_tls(&mut self, pid: u32) {
        if let Some(runtimes) = &self.runtimes {
            runtimes.speaks_tls(pid);
        }
    }

    fn serves(&mut self, pid: u32, port: u16) {
        self.table.serves(pid, port);
    }

    fn exec(&mut self, pid: u32, program: &str) {
        self.table.exec(pid);
        self.table.hint(pid, program);
        self.look(pid, boot_now());
    }

    fn exit(&mut self, pid: u32, now: u64) {
        self.table.exit(pid, now);
        if let Some(runtimes) = &self.runtimes {
            runtimes.ended(pid);
        }
    }

    fn wanted(&mut self, pid: u32, now: u64) -> Option<bool> {
        if !self.filter.judges_processes() {
            return None;
        }
        let identity = self.table.get(pid, now);
        Some(self.filter.process(&identity) == Verdict::Trace)
    }
}
