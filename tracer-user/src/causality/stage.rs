//! The stage: signals in, decisions out.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::num::NonZeroUsize;

use lru::LruCache;
use tracer_common::record::{
    COURSE_ASKS, COURSE_BEGINS, COURSE_CALLS, COURSE_ENDS, COURSE_RUNS, COURSE_SERVES,
    COURSE_SPAWNS, COURSE_WRITES,
};

use crate::connection::{Cookie, Flow, Moment};
use crate::exchange::{ExchangeId, Side, Signal};

use super::Scene;
use super::correlated::Correlated;
use super::evidence::Kinds;
use super::joint::Budget;
use super::node::{Client, Node};
use super::origins::Origins;
use super::processes::Processes;
use super::resolver::Decision;
use super::scene::Carrier;
use super::streams::Streams;
use super::targets::Targets;

/// How long to wait and how sure to be. Durations in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long an exchange that is over waits for late evidence.
    pub settle: u64,
    /// How long after its end a call waits for a request that goes on.
    pub max_hold: u64,
    /// Edges below are not made.
    pub min_confidence: f64,
    /// Kinds of evidence that are not used.
    pub without: Kinds,
}

/// How long an exchange is remembered after it has been settled, for what may still refer to it.
pub(super) const LINGER: u64 = 2_000_000_000;
/// Connections remembered that were opened and have not carried a request; many never will.
const MAX_CONNECTING: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// What was known when connect(2) was called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connecting {
    pub(super) tid: u32,
    pub(super) flow: Flow,
    /// What the thread had read last.
    pub(super) turn: Option<ExchangeId>,
    /// The only request that it had read and not answered.
    pub(super) only: Option<ExchangeId>,
}

/// The stage.
pub struct Causality {
    pub(super) settings: Settings,
    /// Decisions tell what led to them.
    pub(super) explain: bool,
    pub(super) nodes: HashMap<ExchangeId, Node>,
    pub(super) processes: Processes,
    pub(super) carriers: HashMap<Carrier, BTreeSet<ExchangeId>>,
    pub(super) origins: Origins,
    pub(super) correlated: Correlated,
    pub(super) targets: Targets,
    /// Who called connect(2), until the first request.
    pub(super) connecting: LruCache<Cookie, Connecting>,
    /// What there is to say of encrypted connections that this host's processes have opened, should an
    /// exchange stand for one.
    pub(super) opening: LruCache<Cookie, Client>,
    /// Who asked for the next request on a connection.
    pub(super) asking: LruCache<Cookie, Moment>,
    /// Who asks for HTTP/2's streams, and who answers them.
    pub(super) streams: Streams,
    /// Incoming connections that carry what is not decoded, and who was seen to use them first.
    undecoded: HashMap<Cookie, Moment>,
    pub(super) timers: BinaryHeap<Reverse<(u64, ExchangeId)>>,
    pub(super) decisions: Vec<Decision>,
    pub(super) forgotten: Vec<ExchangeId>,
    /// Calls that were decided without the times, because there were too many.
    pub(super) crowded: u64,
    /// What the times may cost.
    pub(super) budget: Budget,
}

impl Causality {
    /// An empty stage.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            explain: false,
            nodes: HashMap::new(),
            processes: Processes::default(),
            carriers: HashMap::new(),
            origins: Origins::default(),
            correlated: Correlated::default(),
            targets: Targets::default(),
            connecting: LruCache::new(MAX_CONNECTING),
            opening: LruCache::new(MAX_CONNECTING),
            asking: LruCache::new(MAX_CONNECTING),
            streams: Streams::default(),
            undecoded: HashMap::new(),
            timers: BinaryHeap::new(),
            decisions: vec![],
            forgotten: vec![],
            crowded: 0,
            budget: Budget::default(),
        }
    }

    /// From now on decisions tell what led to them.
    pub fn explain(&mut self) {
        self.explain = true;
    }

    /// A thread has sent or received on a connection; told before what follows from it.
    pub fn operation(&mut self, at: Moment, cookie: Cookie) {
        let process = self.processes.acting(&at);
        process.contexts.saw(&at.flow);
        process.thread(at.tid).operate(cookie);
    }

    /// A flow of execution did what no operation shows: `COURSE_*`.
    /// `subject`: the thread that it starts, or the stream that it is about.
    pub fn course(&mut self, at: Moment, cookie: Cookie, change: u32, subject: u32) {
        let process = self.processes.acting(&at);
        let contexts = &mut process.contexts;
        match change {
            COURSE_BEGINS => contexts.begins(&at.flow, at.time),
            COURSE_ASKS => {
                contexts.saw(&at.flow);
                let mut at = at;
                // Two have asked and neither is written yet: nobody knows whose turn is first.
                let other = |before: &Moment| before.flow.context != at.flow.context;
                if self.asking.peek(&cookie).is_some_and(other) {
                    at.flow = Flow::default();
                }
                self.asking.put(cookie, at);
            }
            COURSE_SPAWNS => process.spawn(at.tid, subject),
            COURSE_ENDS => process.end(at.tid),
            COURSE_WRITES => contexts.writes(&at.flow),
            COURSE_RUNS => contexts.saw(&at.flow),
            COURSE_CALLS | COURSE_SERVES => {
                contexts.saw(&at.flow);
                let side = if change == COURSE_CALLS { Side::Client } else { Side::Server };
                self.streams.tell((cookie, subject), side, at);
                self.note_flow((cookie, subject));
            }
            _ => {}
        }
    }

    /// A thread has called connect(2).
    pub fn connect(&mut self, at: Moment, cookie: Cookie) {
        let process = self.processes.acting(&at);
        process.contexts.saw(&at.flow);
        let thread = process.thread(at.tid);
        let (turn, only) = (thread.last_read, thread.only());
        self.connecting.put(cookie, Connecting { tid: at.tid, flow: at.flow, turn, only });
    }

    /// A connection is gone.
    pub fn disconnect(&mut self, at: Moment, cookie: Cookie) {
        self.connecting.pop(&cookie);
        self.opening.pop(&cookie);
        self.asking.pop(&cookie);
        self.decoded(cookie, at);
    }

    /// What a connection carries is decoded from now on, or it is gone.
    pub fn decoded(&mut self, cookie: Cookie, at: Moment) {
        if let Some(owner) = self.undecoded.remove(&cookie)
            && let Some(process) = self.processes.at_mut(&owner)
        {
            process.sight.undecoded_closed(at.order);
        }
    }

    /// An incoming connection of a process carries what is not decoded.
    pub fn undecoded(&mut self, cookie: Cookie, at: Moment) {
        if self.undecoded.insert(cookie, at).is_none() {
            self.processes.acting(&at).sight.undecoded_opened();
        }
    }

    /// Some of what a process does is left out on purpose.
    pub fn leave_out(&mut self, at: Moment, some: bool) {
        self.processes.acting(&at).sight.leave_out(some);
    }

    /// By now a process has this many incoming connections that nothing was seen of yet: such as are
    /// older than the tracer.
    pub fn unseen(&mut self, at: Moment, count: u32) {
        self.processes.acting(&at).sight.unseen(count, &at);
    }

    /// Something that a process did was lost.
    pub fn lost(&mut self, at: Moment) {
        self.processes.acting(&at).sight.lose(at.time);
    }

    /// Something that whatever process did was lost.
    pub fn lost_anywhere(&mut self, now: u64) {
        self.processes.lose(now);
    }

    /// A process has ended, or runs another program.
    pub fn exited(&mut self, pid: u32, now: u64) {
        self.undecoded.retain(|_, owner| owner.pid != pid);
        self.processes.exited(pid, now);
    }

    /// Takes what the exchange stage says, in order.
    pub fn signal(&mut self, signal: &Signal) {
        match signal {
            Signal::Started { id, side, at, cookie, sealed: true, .. } => {
                self.sealed(*id, *side, *at, *cookie);
            }
            Signal::Started { id, side, at, cookie, stream, .. } => {
                self.started(*id, *side, *at, *cookie, stream.is_some());
                if let Some(stream) = *stream {
                    self.streams.begins((*cookie, stream), *id);
                    self.note_flow((*cookie, stream));
                }
            }
            Signal::Dials { at, cookie } => self.connect(*at, *cookie),
            Signal::Opens { at, cookie } => self.opens(*at, *cookie),
            Signal::Unsealed(id) => self.unsealed(*id),
            Signal::Head { id, context, correlation, target } => {
                self.head(*id, context.as_deref(), correlation, *target);
            }
            Signal::Read { id, at } => self.read(*id, *at),
            Signal::Replied { id, at } => self.replied(*id, *at),
            Signal::Ended(exchange) => self.ended(exchange),
            Signal::Paired { client, server } => self.paired(*client, *server),
            Signal::Left { side: Side::Server, cookie, at } => self.undecoded(*cookie, *at),
            Signal::Left { side: Side::Client, .. } | Signal::Carries { .. } => {}
            Signal::Refused { at } => self.refused(*at),
        }
    }

    /// Decides what has become ripe by `now`.
    pub fn poll(&mut self, now: u64) -> impl Iterator<Item = Decision> + '_ {
        while let Some(&Reverse((time, id))) = self.timers.peek()
            && time <= now
        {
            self.timers.pop();
            self.ripe(id, time);
        }
        self.processes.poll(now);
        self.decisions.drain(..)
    }

    /// Exchanges that nothing can refer to any more.
    pub fn take_forgotten(&mut self) -> impl Iterator<Item = ExchangeId> + '_ {
        self.forgotten.drain(..)
    }

    /// Decides a call with the evidence so far, because one of its descendants can wait no longer.
    pub fn force(&mut self, id: ExchangeId) -> Option<Decision> {
        self.decide(id);
        let at = self.decisions.iter().position(|decision| decision.call == id)?;
        Some(self.decisions.swap_remove(at))
    }

    /// Whether the process that acted then is known to trace itself, by the headers that it makes or
    /// the spans that it exports.
    #[must_use]
    pub fn traces_itself(&self, at: &Moment) -> bool {
        self.processes.at(at).is_some_and(|process| process.instrumented.traces_itself())
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            nodes: &self.nodes,
            processes: &self.processes,
            carriers: &self.carriers,
            correlated: &self.correlated,
            targets: &self.targets,
            without: self.settings.without,
        }
    }

    /// How many calls were decided without the times, because there were too many.
    #[must_use]
    pub fn crowded(&self) -> u64 {
        self.crowded
    }

    /// How many things are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        let tables =
            [self.nodes.len(), self.carriers.len(), self.connecting.len(), self.asking.len()];
        tables.iter().sum::<usize>()
            + self.opening.len()
            + self.undecoded.len()
            + self.correlated.remembered()
            + self.streams.remembered()
            + self.targets.remembered()
            + self.timers.len()
            + self.processes.remembered()
    }
}
