//! What causality remembers of a process and its threads.

use std::collections::{BTreeSet, HashMap};

use crate::connection::Cookie;
use crate::exchange::ExchangeId;

use super::contexts::{Ancestor, Contexts};
use super::forward;
use super::instrumented::Instrumented;
use super::joint::Joint;
use super::node::Node;
use super::queue::Queue;
use super::sight::Sight;
use super::strength::{Agreement, Share};

/// Threads remembered of one process before idle ones are forgotten.
const MAX_IDLE_THREADS: usize = 4096;
/// Requests that one call may wait for.
const MAX_SUSPECTS: usize = 256;
/// Calls of one thread for one request that are remembered until it answers.
const MAX_CALLS: usize = 256;
/// Addresses that one process calls of which it is known what it asks for; where there are more, it is
/// learned anew.
const MAX_CALLEES: usize = 256;
/// Where this share of answers comes from such threads, calls wait for them.
const MANY: f64 = 0.8;

/// One process.
#[derive(Debug)]
pub(super) struct Process {
    /// Requests that it has not answered yet.
    pub(super) open: BTreeSet<ExchangeId>,
    threads: HashMap<u32, Thread>,
    /// How many threads there may be before idle ones are forgotten.
    room: usize,
    /// How much of what it is asked for is seen.
    pub(super) sight: Sight,
    /// Whether it traces itself.
    pub(super) instrumented: Instrumented,
    /// What flows of execution it has.
    pub(super) contexts: Contexts,
    /// Calls of which a request's id told what stronger evidence told, too.
    pub(super) correlated: Share,
    /// Of the calls to one address, those for what an open request asks for.
    forwards: HashMap<u64, Share>,
    /// Number of the event with which it began.
    pub(super) born: u64,
    /// Calls during which the calling thread did nothing else.
    pub(super) blocking: Share,
    /// Requests that were read and answered by one thread that read no other between.
    pub(super) dedicated: Share,
    /// Answers to what another thread, which only reads, had read, before which the thread made calls
    /// for none that is older than they are.
    pub(super) workers: Share,
    /// There was such an answer.
    pub(super) has_workers: bool,
    /// Threads that were started for a request, made calls, and ended before it was answered.
    pub(super) spawned: Share,
    /// Requests with calls whose turns close: the response was written in the turn of a call's
    /// response, and that call was written in a turn of the request.
    pub(super) turns: Share,
    /// Responses that were written when the oldest thing that the thread had read belonged to their
    /// requests.
    pub(super) queues: Share,
    /// How far weak kinds are believed by the times.
    pub(super) agreement: Agreement,
    /// The times of what it does, if nothing else has settled a call of it.
    pub(super) joint: Option<Box<Joint>>,
    /// When calls were last decided by them.
    pub(super) timed: u64,
}

/// One thread.
#[derive(Debug)]
pub(super) struct Thread {
    /// Requests that it read and that are not answered.
    pub(super) reading: BTreeSet<ExchangeId>,
    /// What it read last.
    pub(super) last_read: Option<ExchangeId>,
    /// The request for which it was started, while that is open.
    cause: Option<ExchangeId>,
    /// It makes calls, or answers requests: it does not only read them for others.
    pub(super) works: bool,
    /// Of its calls, those that began while a request was open: one that polls makes others, too.
    pub(super) for_requests: Share,
    /// Calls that it made since it read or answered a request.
    pub(super) calls: Vec<ExchangeId>,
    /// What it has read and not acted on.
    pub(super) queue: Queue,
    last_cookie: Option<Cookie>,
    /// How often it went from one connection to another.
    pub(super) switches: u64,
}

impl Process {
    /// One that begins with event number `born`.
    pub(super) fn new(born: u64, sight: Sight) -> Self {
        Self {
            open: BTreeSet::new(),
            threads: HashMap::new(),
            room: MAX_IDLE_THREADS,
            sight,
            instrumented: Instrumented::default(),
            contexts: Contexts::default(),
            correlated: Share::guess(0.98, 20.0),
            forwards: HashMap::new(),
            born,
            blocking: Share::guess(0.95, 2.0),
            dedicated: Share::guess(0.95, 2.0),
            workers: Share::guess(0.95, 2.0),
            has_workers: false,
            spawned: Share::guess(0.85, 2.0),
            turns: Share::guess(0.85, 1.0),
            queues: Share::guess(0.5, 2.0),
            agreement: Agreement::default(),
            joint: None,
            timed: 0,
        }
    }

    /// The only request that it has not answered yet.
    pub(super) fn only(&self) -> Option<ExchangeId> {
        only(&self.open)
    }

    /// Whether requests were open when a call began, and all that it is asked for was seen.
    pub(super) fn shares_requests(&self, call: &Node) -> bool {
        call.client().is_some_and(|client| client.rivals > 0)
    }

    /// Open requests that a call of this lineage may belong to: those that were read in one of its
    /// contexts, or if none was, all of them: any may yet be answered in one. So it is with threads
    /// where requests are answered by others than read them, if it is no such request's (`known`).
    pub(super) fn suspects(&self, lineage: &[Ancestor], known: bool) -> Vec<ExchangeId> {
        if lineage.is_empty() && (known || !self.has_workers || self.workers.get() < MANY) {
            return vec![];
        }
        let open = |id: &ExchangeId| self.open.contains(id);
        lineage
            .iter()
            .map(|ancestor| self.contexts.requests(ancestor.id).iter().copied().filter(open))
            .map(Iterator::collect::<Vec<_>>)
            .find(|named| !named.is_empty())
            .unwrap_or_else(|| self.open.iter().copied().take(MAX_SUSPECTS).collect())
    }

    /// How often what it asks this one for is what it was asked for.
    pub(super) fn forwarding(&self, callee: u64) -> Share {
        self.forwards.get(&callee).copied().unwrap_or_else(forward::unknown)
    }

    /// It asked this one for what it was asked for, or not.
    pub(super) fn passes_on(&mut self, callee: u64, yes: bool) {
        if self.forwards.len() >= MAX_CALLEES && !self.forwards.contains_key(&callee) {
            self.forwards.clear();
        }
        self.forwards.entry(callee).or_insert_with(forward::unknown).observe(yes);
    }

    /// A thread of it, made if it is new; for that, idle ones may be forgotten.
    pub(super) fn thread(&mut self, tid: u32) -> &mut Thread {
        if self.threads.len() >= self.room && !self.threads.contains_key(&tid) {
            self.threads.retain(|_, thread| !thread.reading.is_empty());
            // Those that are left are busy: what grows with them is looked at again only when
            // there are twice as many.
            self.room = (2 * self.threads.len()).max(MAX_IDLE_THREADS);
        }
        self.threads.entry(tid).or_default()
    }

    /// A thread starts another one.
    pub(super) fn spawn(&mut self, by: u32, thread: u32) {
        let starter = self.threads.get(&by);
        let cause = starter.and_then(|starter| starter.only().or(starter.cause));
        *self.thread(thread) = Thread { cause, ..Thread::default() };
    }

    /// A thread makes a call: the request for which it was started, if that is open.
    pub(super) fn cause(&mut self, thread: u32) -> Option<ExchangeId> {
        let cause = self.threads.get(&thread)?.cause?;
        if self.open.contains(&cause) {
            return Some(cause);
        }
        // It is one of a pool.
        self.thread(thread).cause = None;
        self.spawned.observe(false);
        None
    }

    /// A thread has ended.
    pub(super) fn end(&mut self, thread: u32) {
        let Some(ended) = self.threads.get(&thread).filter(|ended| ended.reading.is_empty()) else {
            return;
        };
        if let (Some(cause), false) = (ended.cause, ended.calls.is_empty()) {
            self.spawned.observe(self.open.contains(&cause));
        }
        self.threads.remove(&thread);
    }

    /// A thread of it, if it is known.
    pub(super) fn known_thread(&mut self, tid: u32) -> Option<&mut Thread> {
        self.threads.get_mut(&tid)
    }

    /// How often a thread calls for requests, as far as that is known of it.
    pub(super) fn for_requests(&self, tid: u32) -> f64 {
        self.threads.get(&tid).map_or(1.0, |thread| thread.for_requests.get())
    }

    /// How many things it remembers.
    pub(super) fn remembered(&self) -> usize {
        1 + self.open.len()
            + self.threads.len()
            + self.contexts.remembered()
            + self.forwards.len()
            + self.joint.as_ref().map_or(0, |joint| joint.remembered())
    }
}

/// The only one, if there is just one.
fn only(all: &BTreeSet<ExchangeId>) -> Option<ExchangeId> {
    all.first().copied().filter(|_| all.len() == 1)
}

impl Default for Thread {
    fn default() -> Self {
        Self {
            reading: BTreeSet::new(),
            last_read: None,
            cause: None,
            works: false,
            // One call while no request is open is enough for `alone` to be doubted.
            for_requests: Share::guess(1.0, 5.0),
            calls: vec![],
            queue: Queue::default(),
            last_cookie: None,
            switches: 0,
        }
    }
}

impl Thread {
    pub(super) fn operate(&mut self, cookie: Cookie) {
        if self.last_cookie.replace(cookie) != Some(cookie) {
            self.switches += 1;
        }
    }

    /// It writes a response; the calls that it made before.
    pub(super) fn answers(&mut self) -> Vec<ExchangeId> {
        self.works = true;
        std::mem::take(&mut self.calls)
    }

    /// It has begun a call.
    pub(super) fn calls(&mut self, call: ExchangeId) {
        self.works = true;
        if self.calls.len() < MAX_CALLS {
            self.calls.push(call);
        }
    }

    /// The only request that it has read and not answered.
    pub(super) fn only(&self) -> Option<ExchangeId> {
        only(&self.reading)
    }
}

#[cfg(test)]
mod tests {
    use super::{ExchangeId, MAX_IDLE_THREADS, Process, Sight};

    #[test]
    fn threads_that_come_and_go_are_forgotten_unless_they_are_busy() {
        let mut process = Process::new(0, Sight::default());
        process.thread(7).reading.insert(ExchangeId(1));
        for tid in 8..10 * MAX_IDLE_THREADS as u32 {
            process.thread(tid);
        }
        assert!(process.remembered() <= 1 + MAX_IDLE_THREADS);
        assert!(process.known_thread(7).is_some());
    }
}
