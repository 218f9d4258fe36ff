//! Request and correlation ids: who was sent them, and who made them up.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::exchange::ExchangeId;
use crate::protocol::propagation::Correlation;

/// A process and an id's hash.
type Name = (u32, u64);

/// Ids of which it is remembered whether the process had been sent them first; those used last stay.
const MAX_IDS: NonZeroUsize = NonZeroUsize::new(32_768).unwrap();
/// Requests with one id to one process at about the same time, beyond which it says nothing.
const MAX_SAME_ID: usize = 256;

/// The ids seen lately.
#[derive(Debug)]
pub(super) struct Correlated {
    /// Requests that brought an id, while they are remembered.
    requests: HashMap<Name, BTreeSet<ExchangeId>>,
    /// Requests that were answered with an id.
    answers: HashMap<Name, BTreeSet<ExchangeId>>,
    /// Whether the process sent the id before any request had brought it.
    own: LruCache<Name, bool>,
}

impl Default for Correlated {
    fn default() -> Self {
        Self { requests: HashMap::new(), answers: HashMap::new(), own: LruCache::new(MAX_IDS) }
    }
}

impl Correlated {
    /// A request to a process came in with these ids.
    pub(super) fn received(&mut self, pid: u32, ids: &Correlation, request: ExchangeId) {
        for id in ids.ids() {
            self.own.get_or_insert((pid, id), || false);
            self.requests.entry((pid, id)).or_default().insert(request);
        }
    }

    /// A process answered a request with these ids.
    pub(super) fn answered(&mut self, pid: u32, ids: &Correlation, request: ExchangeId) {
        for id in ids.ids() {
            self.answers.entry((pid, id)).or_default().insert(request);
        }
    }

    /// A process sends these ids.
    pub(super) fn sent(&mut self, pid: u32, ids: &Correlation) {
        ids.ids().for_each(|id| {
            self.own.get_or_insert((pid, id), || true);
        });
    }

    /// The requests that brought a process this id. None if it is the process's own, or if there are
    /// too many to tell apart.
    pub(super) fn requests(&self, pid: u32, id: u64) -> impl Iterator<Item = ExchangeId> + '_ {
        let name = (pid, id);
        let own = self.own.peek(&name).is_some_and(|own| *own);
        let named = self.requests.get(&name).filter(|all| !own && all.len() <= MAX_SAME_ID);
        named.into_iter().flatten().copied()
    }

    /// The requests that a process answered with this id, whoever made that; none if there are too
    /// many to tell apart.
    pub(super) fn answers(&self, pid: u32, id: u64) -> impl Iterator<Item = ExchangeId> + '_ {
        let named = self.answers.get(&(pid, id)).filter(|all| all.len() <= MAX_SAME_ID);
        named.into_iter().flatten().copied()
    }

    /// Nobody asks for a request any more that brought a process these ids, and was answered with
    /// those.
    pub(super) fn forget(
        &mut self,
        pid: u32,
        brought: &Correlation,
        answer: &Correlation,
        request: ExchangeId,
    ) {
        for (ids, named) in [(brought, &mut self.requests), (answer, &mut self.answers)] {
            for name in ids.ids().map(|id| (pid, id)) {
                if let Some(requests) = named.get_mut(&name) {
                    requests.remove(&request);
                    if requests.is_empty() {
                        named.remove(&name);
                    }
                }
            }
        }
    }

    /// How many things are remembered.
    pub(super) fn remembered(&self) -> usize {
        self.requests.len() + self.answers.len()
    }
}
