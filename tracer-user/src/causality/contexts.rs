//! The contexts of execution of one process: goroutines, Python contexts.

use std::collections::HashMap;
use std::hash::Hash;

use lru::LruCache;

use crate::connection::Flow;
use crate::exchange::ExchangeId;

use super::strength::Share;

/// Contexts of one process whose starters are remembered.
const MAX_PARENTS: usize = 8192;
/// Generations between a call's context and that of its request.
const MAX_LINEAGE: usize = 8;

/// What names a context for good. A goroutine's number does; a Python context's address does while it
/// lives, so those that are told to begin get numbers of their own.
pub(super) type ContextId = u64;

/// The bit that no address and no goroutine's number has.
const NUMBERED: ContextId = 1 << 63;

/// One context of a lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub(super) id: ContextId,
    /// When it started the one before it in the lineage (boot time), as far as that is known: what it
    /// did later, it did not do for that one. Of the first, the end of time.
    pub(super) until: u64,
}

/// How a context began.
#[derive(Clone, Copy, Debug)]
struct Birth {
    /// 0 if nobody is known.
    parent: ContextId,
    /// Boot time, if that is known.
    time: Option<u64>,
    /// When the first request that it served began (boot time), if it served one.
    served: Option<u64>,
}

/// What is known of them.
#[derive(Debug)]
pub(super) struct Contexts {
    /// Who is meant by what names a context at present, where it does not mean itself.
    meant: LruCache<u64, ContextId>,
    /// Who was meant by it when it began then (boot time).
    numbers: LruCache<(u64, u64), ContextId>,
    births: LruCache<ContextId, Birth>,
    numbered: u64,
    /// Those that write for the one that started them, and nobody else.
    writers: LruCache<u64, ()>,
    /// Requests that were read or answered in a context, while they are remembered.
    requests: HashMap<ContextId, Vec<ExchangeId>>,
    /// Calls of which the context told what stronger evidence told, too.
    pub(super) right: Share,
}

impl Default for Contexts {
    fn default() -> Self {
        Self {
            meant: LruCache::unbounded(),
            numbers: LruCache::unbounded(),
            births: LruCache::unbounded(),
            numbered: NUMBERED,
            writers: LruCache::unbounded(),
            requests: HashMap::new(),
            right: Share::guess(0.999, 1000.0),
        }
    }
}

impl Contexts {
    /// A flow was seen. A thread of an executor has a context of its own, and works for one after the
    /// other.
    pub(super) fn saw(&mut self, flow: &Flow) {
        let (mut id, parent) = (self.id(flow.context), self.id(flow.parent));
        if flow.context == 0 || flow.parent == 0 || id == parent {
            return;
        }
        let birth = self.births.get(&id);
        if birth.is_some_and(|birth| birth.parent == parent) {
            return;
        }
        if id & NUMBERED != 0 && birth.is_some_and(|birth| birth.time.is_some()) {
            // That one began for another, whose descendants may still run: it is gone, and a context
            // that nobody was told of has its name.
            self.numbered += 1;
            id = self.numbered;
            put(&mut self.meant, flow.context, id);
        }
        self.bear(id, Birth { parent, time: None, served: None });
    }

    /// Whatever this flow writes, it writes for the one that started it.
    pub(super) fn writes(&mut self, flow: &Flow) {
        self.saw(flow);
        put(&mut self.writers, flow.context, ());
    }

    /// Whether that is known of it.
    pub(super) fn is_writer(&self, flow: &Flow) -> bool {
        flow.context != 0 && self.writers.contains(&flow.context)
    }

    /// A flow, whose name no other one will have, begins to answer a request at a time: when that is
    /// over, it and those that it has started do nothing for others that are open.
    pub(super) fn takes(&mut self, flow: &Flow, time: u64) {
        self.saw(flow);
        let before = self.births.peek(&flow.context).copied();
        let parent = before.map_or(0, |birth| birth.parent);
        let time = before.and_then(|birth| birth.time).unwrap_or(time);
        self.bear(flow.context, Birth { parent, time: Some(time), served: Some(time) });
    }

    /// A context began at a time, and what names it has meant another one before.
    pub(super) fn begins(&mut self, flow: &Flow, time: u64) {
        let parent = match flow.origin {
            0 => self.id(flow.parent),
            began => self.number(flow.parent, began),
        };
        let id = self.number(flow.context, time);
        put(&mut self.meant, flow.context, id);
        self.bear(id, Birth { parent, time: Some(time), served: None });
    }

    /// What names it for good. Of one that was not told to begin no more is known than when it did.
    fn number(&mut self, context: u64, began: u64) -> ContextId {
        if let Some(&id) = self.numbers.get(&(context, began)) {
            return id;
        }
        self.numbered += 1;
        put(&mut self.numbers, (context, began), self.numbered);
        self.bear(self.numbered, Birth { parent: 0, time: Some(began), served: None });
        self.numbered
    }

    fn bear(&mut self, id: ContextId, birth: Birth) {
        put(&mut self.births, id, birth);
    }

    fn id(&self, context: u64) -> ContextId {
        self.meant.peek(&context).copied().unwrap_or(context)
    }

    /// When a context began, if that was told.
    pub(super) fn born(&self, id: ContextId) -> Option<u64> {
        self.births.peek(&id)?.time
    }

    /// Whether it is known to have served a request that began by then, which may be forgotten by
    /// now. Of contexts that are not told to begin, no: another one may have had the name.
    pub(super) fn served_by(&self, id: ContextId, then: u64) -> bool {
        let birth = self.births.peek(&id).filter(|birth| birth.time.is_some());
        birth.and_then(|birth| birth.served).is_some_and(|first| first <= then)
    }

    /// The flow's context, the one that started it, and so on; empty if it has no name.
    pub(super) fn lineage(&self, flow: &Flow) -> Vec<Ancestor> {
        let first = Ancestor { id: self.id(flow.context), until: u64::MAX };
        let starter = |one: &Ancestor| {
            let birth = self.births.peek(&one.id).filter(|birth| birth.parent != 0)?;
            let until = birth.time.map_or(one.until, |time| time.min(one.until));
            Some(Ancestor { id: birth.parent, until })
        };
        let first = Some(first).filter(|_| flow.context != 0);
        std::iter::successors(first, starter).take(MAX_LINEAGE).collect()
    }

    /// The flow's context, and those before it that began after `since`: of a flow that answers a
    /// request, all that began for that request.
    pub(super) fn begun_since(&self, flow: &Flow, since: u64) -> Vec<ContextId> {
        let young = |id: &ContextId| self.born(*id).is_some_and(|time| time >= since);
        let lineage: Vec<_> = self.lineage(flow).into_iter().map(|ancestor| ancestor.id).collect();
        let begun = lineage.iter().take_while(|id| young(id)).count();
        lineage.into_iter().take(begun.max(1)).collect()
    }

    /// A request, which began then, was read or answered in a context.
    pub(super) fn served(&mut self, context: ContextId, request: ExchangeId, began: u64) {
        if let Some(birth) = self.births.peek_mut(&context) {
            birth.served = Some(birth.served.map_or(began, |first| first.min(began)));
        }
        let requests = self.requests.entry(context).or_default();
        if !requests.contains(&request) {
            requests.push(request);
        }
    }

    /// The requests that were read or answered in it.
    pub(super) fn requests(&self, context: ContextId) -> &[ExchangeId] {
        self.requests.get(&context).map_or(&[], Vec::as_slice)
    }

    /// Nobody asks for the request any more, that was read or answered in this context.
    pub(super) fn forget(&mut self, context: ContextId, request: ExchangeId) {
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

/// Puts something in, for which the one that was used least lately may have to go.
fn put<K: Hash + Eq, V>(cache: &mut LruCache<K, V>, key: K, value: V) {
    if cache.len() >= MAX_PARENTS && !cache.contains(&key) {
        cache.pop_lru();
    }
    cache.put(key, value);
}

#[cfg(test)]
mod tests {
    use super::{Contexts, Flow, MAX_LINEAGE, MAX_PARENTS, NUMBERED};

    fn flow(context: u64, parent: u64) -> Flow {
        Flow { context, parent, ..Flow::default() }
    }

    fn lineage(contexts: &Contexts, context: u64) -> Vec<(u64, u64)> {
        let ancestors = contexts.lineage(&flow(context, 0)).into_iter();
        ancestors.map(|ancestor| (ancestor.id & !NUMBERED, ancestor.until)).collect()
    }

    #[test]
    fn a_lineage_is_followed_as_far_as_it_is_known_and_ends_where_it_runs_in_a_circle() {
        let (mut contexts, end) = (Contexts::default(), u64::MAX);
        contexts.saw(&flow(2, 1));
        contexts.saw(&flow(3, 2));
        assert_eq!(lineage(&contexts, 3), [(3, end), (2, end), (1, end)]);
        assert!(lineage(&contexts, 0).is_empty());
        contexts.saw(&flow(1, 3));
        assert_eq!(lineage(&contexts, 3).len(), MAX_LINEAGE);
    }

    #[test]
    fn what_begins_is_not_what_had_its_name_before() {
        let (mut contexts, end) = (Contexts::default(), u64::MAX);
        contexts.begins(&flow(70, 60), 1000);
        contexts.begins(&flow(80, 70), 2000);
        assert_eq!(lineage(&contexts, 80), [(2, end), (1, 2000), (60, 1000)]);
        contexts.begins(&flow(70, 0), 3000);
        assert_eq!(lineage(&contexts, 70), [(3, end)]);
        assert_eq!(lineage(&contexts, 80), [(2, end), (1, 2000), (60, 1000)]);
    }

    #[test]
    fn who_was_begun_by_one_that_is_gone_is_not_begun_by_the_one_that_has_its_name() {
        let (mut contexts, end) = (Contexts::default(), u64::MAX);
        contexts.begins(&flow(70, 60), 1000);
        contexts.begins(&flow(70, 50), 3000);
        contexts.begins(&Flow { origin: 1000, ..flow(80, 70) }, 2000);
        assert_eq!(lineage(&contexts, 80), [(3, end), (1, 2000), (60, 1000)]);
        // Their starter never did anything.
        for context in [90, 100] {
            contexts.begins(&Flow { origin: 1500, ..flow(context, 70) }, 2000 + context);
        }
        assert_eq!(lineage(&contexts, 90), [(5, end), (4, 2090)]);
        assert_eq!(lineage(&contexts, 100), [(6, end), (4, 2100)]);
    }

    #[test]
    fn a_thread_of_an_executor_works_for_one_after_the_other() {
        let (mut contexts, end) = (Contexts::default(), u64::MAX);
        contexts.begins(&flow(70, 0), 1000);
        contexts.begins(&flow(80, 0), 2000);
        contexts.saw(&flow(9, 70));
        assert_eq!(lineage(&contexts, 9), [(9, end), (1, end)]);
        contexts.saw(&flow(9, 80));
        assert_eq!(lineage(&contexts, 9), [(9, end), (2, end)]);
        // Another context has the name by now.
        contexts.begins(&flow(80, 0), 3000);
        contexts.saw(&flow(9, 80));
        assert_eq!(lineage(&contexts, 9), [(9, end), (3, end)]);
    }

    #[test]
    fn a_thread_of_an_executor_is_not_what_had_the_name_of_its_context_before() {
        let (mut contexts, end) = (Contexts::default(), u64::MAX);
        contexts.begins(&flow(9, 60), 500);
        contexts.begins(&flow(50, 9), 600);
        contexts.begins(&flow(70, 0), 1000);
        contexts.saw(&flow(9, 70));
        assert_eq!(lineage(&contexts, 9), [(4, end), (3, end)]);
        contexts.begins(&flow(80, 0), 2000);
        contexts.saw(&flow(9, 80));
        assert_eq!(lineage(&contexts, 9), [(4, end), (5, end)]);
        assert_eq!(lineage(&contexts, 50), [(2, end), (1, 600), (60, 500)]);
    }

    #[test]
    fn what_began_for_a_request_is_what_began_since() {
        let mut contexts = Contexts::default();
        contexts.begins(&flow(70, 60), 1000);
        contexts.begins(&flow(80, 70), 2000);
        contexts.begins(&flow(90, 80), 3000);
        let since = |time| contexts.begun_since(&flow(90, 0), time).len();
        assert_eq!([since(4000), since(3000), since(1500), since(0)], [1, 1, 2, 3]);
        assert!(contexts.begun_since(&flow(0, 0), 0).is_empty());
    }

    #[test]
    fn starters_are_bounded() {
        let mut contexts = Contexts::default();
        (1..3 * MAX_PARENTS as u64).for_each(|n| contexts.saw(&flow(n + 1, n)));
        (1..3 * MAX_PARENTS as u64).for_each(|n| contexts.begins(&flow(n + 1, n), n));
        let tables = [contexts.births.len(), contexts.meant.len(), contexts.numbers.len()];
        assert_eq!(tables, [MAX_PARENTS; 3]);
    }
}
