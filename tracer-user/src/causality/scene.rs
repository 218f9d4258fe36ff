//! What witnesses can look at.

use std::collections::{BTreeSet, HashMap};

use crate::connection::Moment;
use crate::exchange::ExchangeId;

use super::correlated::Correlated;
use super::evidence::Kinds;
use super::node::Node;
use super::process::Process;
use super::processes::Processes;
use super::targets::Targets;

/// A process and a trace id.
pub(super) type Carrier = (u32, [u8; 16]);

/// Requests of one trace to one process at about the same time, beyond which the trace id says
/// nothing: a client that sends the same context with whatever it asks for.
const MAX_SAME_TRACE: usize = 256;

/// Everything that is remembered, read-only.
pub(super) struct Scene<'a> {
    pub(super) nodes: &'a HashMap<ExchangeId, Node>,
    pub(super) processes: &'a Processes,
    pub(super) carriers: &'a HashMap<Carrier, BTreeSet<ExchangeId>>,
    pub(super) correlated: &'a Correlated,
    pub(super) targets: &'a Targets,
    /// Witnesses that are not asked.
    pub(super) without: Kinds,
}

impl<'a> Scene<'a> {
    pub(super) fn node(&self, id: ExchangeId) -> Option<&'a Node> {
        self.nodes.get(&id)
    }

    /// The process that acted then.
    pub(super) fn process(&self, at: &Moment) -> Option<&'a Process> {
        self.processes.at(at)
    }

    /// Requests to this process that carry this trace id: those open and those lately ended. None
    /// if there are too many to tell apart.
    pub(super) fn of_trace(&self, pid: u32, trace: &[u8; 16]) -> impl Iterator<Item = &'a Node> {
        let nodes = self.nodes;
        let named = self.carriers.get(&(pid, *trace)).filter(|ids| ids.len() <= MAX_SAME_TRACE);
        named.into_iter().flatten().filter_map(move |id| nodes.get(id))
    }
}
