//! What witnesses can look at.

use std::collections::HashMap;

use crate::exchange::ExchangeId;

use super::node::Node;
use super::process::Process;

/// A process and a trace id.
pub(super) type Carrier = (u32, [u8; 16]);

/// Everything that is remembered, read-only.
pub(super) struct Scene<'a> {
    pub(super) nodes: &'a HashMap<ExchangeId, Node>,
    pub(super) processes: &'a HashMap<u32, Process>,
    pub(super) carriers: &'a HashMap<Carrier, Vec<ExchangeId>>,
}

impl<'a> Scene<'a> {
    pub(super) fn node(&self, id: ExchangeId) -> Option<&'a Node> {
        self.nodes.get(&id)
    }

    pub(super) fn process(&self, pid: u32) -> Option<&'a Process> {
        self.processes.get(&pid)
    }

    /// Requests to this process that carry this trace id: those open and those lately ended.
    pub(super) fn of_trace(&self, pid: u32, trace: &[u8; 16]) -> impl Iterator<Item = &'a Node> {
        let nodes = self.nodes;
        let named = self.carriers.get(&(pid, *trace)).map_or(&[][..], Vec::as_slice);
        named.iter().filter_map(move |id| nodes.get(id))
    }
}
