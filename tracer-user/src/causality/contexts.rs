//! The contexts of execution of one process: goroutines, Python contexts.

use std::collections::HashMap;

use lru::LruCache;

use crate::connection::Flow;
use crate::exchange::ExchangeId;

use super::strength::Share;

/// Contexts of one process whose starters are remembered.
const MAX_PARENTS: usize = 8192;
/// Generations between a call's context and that of its request.
const MAX_LINEAGE: usize = 8;

/// What is known of them.
#[derive(Debug)]
pub(super) struct Contexts {
    /// Who started whom.
    parents: LruCache<u64, u64>,
    /// Requests that were read or answered in a context, while they are remembered.
    requests: HashMap<u64, Vec<ExchangeId>>,
    /// Calls of which the context told what stronger evidence told, too.
    pub(super) right: Share,
}

impl Default for Contexts {
    fn default() -> Self {
        Self {
            parents: LruCache::unbounded(),
            requests: HashMap::new(),
            right: Share::guess(0.999, 1000.0),
        }
    }
}

impl Contexts {
    /// A flow was seen.
    pub(super) fn saw(&mut self, flow: &Flow) {
        if flow.context != 0 && flow.parent != 0 && flow.context != flow.parent {
            if self.parents.len() >= MAX_PARENTS && !self.parents.contains(&flow.context) {
                self.parents.pop_lru();
            }
            self.parents.put(flow.context, flow.parent);
        }
    }

    /// The flow's context, the one that started it, and so on; empty if it has no name.
    pub(super) fn lineage(&self, flow: &Flow) -> Vec<u64> {
        let first = Some(flow.context).filter(|&context| context != 0);
        let starter = |context: &u64| match *context == flow.context && flow.parent != 0 {
            true => Some(flow.parent),
            false => self.parents.peek(context).copied(),
        };
        std::iter::successors(first, starter).take(MAX_LINEAGE).collect()
    }

    /// A request was read or answered in a context.
    pub(super) fn served(&mut self, context: u64, request: ExchangeId) {
        let requests = self.requests.entry(context).or_default();
        if !requests.contains(&request) {
            requests.push(request);
        }
    }

    /// The requests that were read or answered in it.
    pub(super) fn requests(&self, context: u64) -> &[ExchangeId] {
        self.requests.get(&context).map_or(&[], Vec::as_slice)
    }

    /// Nobody asks for the request any more, that was read or answered in this context.
    pub(super) fn forget(&mut self, context: u64, request: ExchangeId) {
        if let Some(requests) = self.requests.get_mut(&context) {
            requests.retain(|&id| id != request);
            if requests.is_empty() {
                self.requests.remove(&context);
            }
        }
    }

    /// How many things are remembered.
    pub(super) fn remembered(&self) -> usize {
        self.requests.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Contexts, Flow, MAX_PARENTS};

    fn flow(context: u64, parent: u64) -> Flow {
        Flow { context, parent, ..Flow::default() }
    }

    #[test]
    fn a_lineage_is_followed_as_far_as_it_is_known_and_ends_where_it_runs_in_a_circle() {
        let mut contexts = Contexts::default();
        contexts.saw(&flow(2, 1));
        contexts.saw(&flow(3, 2));
        assert_eq!(contexts.lineage(&flow(4, 3)), [4, 3, 2, 1]);
        assert_eq!(contexts.lineage(&flow(3, 0)), [3, 2, 1]);
        assert!(contexts.lineage(&flow(0, 0)).is_empty());
        contexts.saw(&flow(1, 3));
        assert_eq!(contexts.lineage(&flow(1, 3)).len(), super::MAX_LINEAGE);
    }

    #[test]
    fn starters_are_bounded() {
        let mut contexts = Contexts::default();
        (1..3 * MAX_PARENTS as u64).for_each(|n| contexts.saw(&flow(n + 1, n)));
        assert_eq!(contexts.parents.len(), MAX_PARENTS);
    }
}
