//! What processes were asked for: the requests by what they ask for, while they are remembered.

use std::collections::{BTreeSet, HashMap};

use crate::exchange::ExchangeId;

/// Requests for one thing to one process at about the same time, beyond which it says nothing.
const MAX_SAME: usize = 256;

/// By process and what stands for method, path and query.
#[derive(Debug, Default)]
pub(super) struct Targets(HashMap<(u32, u64), BTreeSet<ExchangeId>>);

impl Targets {
    /// A process was asked for this.
    pub(super) fn asked(&mut self, pid: u32, target: u64, request: ExchangeId) {
        self.0.entry((pid, target)).or_default().insert(request);
    }

    /// Who asked a process for this; nobody if there are too many to tell apart.
    pub(super) fn requests(&self, pid: u32, target: u64) -> impl Iterator<Item = ExchangeId> + '_ {
        let named = self.0.get(&(pid, target)).filter(|all| all.len() <= MAX_SAME);
        named.into_iter().flatten().copied()
    }

    /// Nobody asks for a request any more.
    pub(super) fn forget(&mut self, pid: u32, target: u64, request: ExchangeId) {
        if let Some(requests) = self.0.get_mut(&(pid, target)) {
            requests.remove(&request);
            if requests.is_empty() {
                self.0.remove(&(pid, target));
            }
        }
    }

    /// How many things are remembered.
    pub(super) fn remembered(&self) -> usize {
        self.0.len()
    }
}
