//! Puts the stages together: records of the ring buffer go in, finished spans come out. The only
//! place that knows every stage. It reads no clock and opens no file itself; who a process is, it
//! asks a [`Directory`].

mod directory;
mod processes;
mod settings;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tracer_common::record::{
    self, DATA_HELLO, DATA_TLS, PROCESS_EXEC, STATE_CLOSED, STATE_CONNECTING, VERDICT_BACKING,
    VERDICT_HTTP, VERDICT_OTHER, VERDICT_SELF, VERDICT_TLS, VERDICT_UNDECIDED,
};

use crate::causality::{self, Causality, Hearing};
use crate::connection::{Address, Bases, Cookie, Info, Moment, Unseen};
use crate::exchange::{ConnectionKey, Exchange, Exchanges, Incomplete, Side, Signal};
use crate::kernel::Event;
use crate::protocol::backing::Conventions;
use crate::trace::{
    Assembly, Clock, LeftOut, Namer, Patience, Placed, Span, SpanId, by_address, span,
};

pub use crate::connection::Ends;
pub use directory::{Directory, Verdict};
pub(crate) use settings::LATEST;
pub use settings::Settings;

/// A wall clock that differs by more from what is expected was set, nanoseconds. Slewing (NTP) shows
/// in both clocks alike, and so does the time that a machine was suspended.
const CLOCK_STEP: u64 = 100_000_000;

/// The stages.
pub struct Pipeline<D> {
    exchanges: Exchanges,
    causality: Causality,
    assembly: Assembly,
    directory: D,
    namer: Namer,
    clock: Clock,
    order: u64,
    now: u64,
    signals: Vec<Signal>,
    spans: Vec<Arc<Span>>,
    known: HashSet<u32>,
    skipped: HashSet<u32>,
    verdicts: Vec<(u32, Verdict)>,
    unseen: Unseen,
    ports_left_out: bool,
    name_by_address: bool,
    lookups: bool,
    lookups_left_out: u64,
    lost: BTreeMap<&'static str, u64>,
}

impl<D: Directory> Pipeline<D> {
    /// An empty pipeline.
    pub fn new(settings: Settings, directory: D, clock: Clock) -> Self {
        let Settings { min_confidence, without, .. } = settings;
        let [settle, max_hold] = [settings.settle, settings.max_hold].map(|time| time.min(LATEST));
        Self {
            exchanges: Exchanges::new(
                settings.connections,
                settings.open_exchanges,
                settings.protocols(),
            ),
            causality: Causality::new(causality::Settings {
                settle,
                max_hold,
                min_confidence,
                without,
            }),
            assembly: Assembly::new(Patience { settle, max_hold }, settings.leave_out, clock),
            directory,
            namer: Namer::new(settings.backing),
            clock,
            order: 0,
            now: 0,
            signals: vec![],
            spans: vec![],
            known: HashSet::new(),
            skipped: HashSet::new(),
            verdicts: vec![],
            unseen: Unseen::default(),
            ports_left_out: settings.ports_left_out,
            name_by_address: false,
            lookups: settings.backing.lookups,
            lookups_left_out: 0,
            lost: BTreeMap::new(),
        }
    }

    /// Who processes are.
    pub fn directory(&mut self) -> &mut D {
        &mut self.directory
    }

    /// From now on spans name servers by their addresses, not by what clients call them.
    pub fn name_by_address(&mut self) {
        self.name_by_address = true;
    }

    /// From now on it is kept what led to each decision, to be taken by [`Pipeline::take_hearings`].
    pub fn explain(&mut self) {
        self.causality.explain();
    }

    /// What led to the decisions since this was asked last, by the CLIENT span of each call.
    pub fn take_hearings(&mut self) -> Vec<(SpanId, Hearing<SpanId>)> {
        self.assembly.take_hearings()
    }

    /// Takes one record of the ring buffer.
    pub fn record(&mut self, bytes: &[u8]) {
        let Some(event) = Event::parse(bytes) else {
            self.lose("malformed_records", 1);
            return;
        };
        let header = *event.header();
        self.order += 1;
        let time = header.time.min(LATEST);
        let (pid, tid, order, flow) = (header.pid, header.tid, self.order, event.flow());
        let at = Moment { time, pid, tid, order, flow };
        self.advance(at.time);
        let cookie = Cookie(header.cookie);
        match event {
            Event::Data(record, head, tail) => self.data(&record, head, tail, at),
            Event::Connection(record) => self.connection(&record, at),
            Event::State(record) if record.state == STATE_CONNECTING => {
                self.causality.connect(at, cookie)
            }
            Event::Traffic(record) => self.exchanges.traffic(&record),
            Event::State(record) => {
                self.exchanges.state(&record, at, &mut self.signals);
                self.flow();
                if record.state == STATE_CLOSED {
                    self.causality.disconnect(at, cookie);
                }
            }
            Event::Course(it) => self.causality.course(at, cookie, it.change, it.subject),
            Event::Process(record) if record.change == PROCESS_EXEC => self.exec(&record, at),
            Event::Process(_) => self.exited(at),
        }
    }

    /// Lets time pass up to `now` (boot clock): what has waited long enough is decided and leaves.
    /// Whether anything was or did.
    pub fn advance(&mut self, now: u64) -> bool {
        if now < self.now {
            return false;
        }
        self.now = now;
        self.exchanges.poll(now, &mut self.signals);
        let mut moved = !self.signals.is_empty();
        self.flow();
        for decision in self.causality.poll(now) {
            moved = true;
            self.assembly.decided(decision);
        }
        while let Some(call) = self.assembly.overdue(now) {
            moved = true;
            match self.causality.force(call) {
                Some(decision) => self.assembly.decided(decision),
                None => self.assembly.root(call),
            }
        }
        let (causality, left_out) = (&self.causality, self.assembly.left_out());
        let ready = self.assembly.take_ready(|at| causality.traces_itself(at));
        moved |= left_out != self.assembly.left_out();
        for placed in ready {
            moved = true;
            self.finish(&placed);
        }
        for id in self.causality.take_forgotten() {
            moved = true;
            self.assembly.forget(id);
        }
        moved
    }

    /// Ends everything that is open, marked as cut short, and lets it leave.
    pub fn stop(&mut self, now: u64) {
        self.order += 1;
        let time = now.max(self.now).min(LATEST);
        let at = Moment { time, order: self.order, ..Moment::default() };
        self.exchanges.stop(at, &mut self.signals);
        self.flow();
        self.advance(u64::MAX);
    }

    /// The spans that have become ready.
    pub fn take_spans(&mut self) -> Vec<Arc<Span>> {
        std::mem::take(&mut self.spans)
    }

    /// What the kernel side is to be told of processes.
    pub fn take_verdicts(&mut self) -> Vec<(u32, Verdict)> {
        std::mem::take(&mut self.verdicts)
    }

    /// Incoming connections of processes, that were there before the tracer. They replace what an
    /// earlier call named, except those that have been seen in the meantime.
    pub fn existing(&mut self, connections: impl IntoIterator<Item = (Ends, u32)>, first: bool) {
        for (pid, count) in self.unseen.replace(connections, first) {
            let at = Moment { time: self.now, pid, order: self.order, ..Moment::default() };
            self.causality.unseen(at, count);
        }
    }

    /// Whether connections from before the tracer's start are still unseen.
    #[must_use]
    pub fn waits_for_existing(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// Records were lost, of whatever process, between these boot times.
    pub fn lost_records(&mut self, since: u64, until: u64) {
        self.causality.lost_anywhere(self.now.max(until.min(LATEST)));
        self.assembly.lost(since, until);
    }

    /// Both clocks read at the same instant, told now and then. `since`: when that was done last
    /// (boot clock). Traces that start later have the times of a clock that was set in between.
    /// Whether it was.
    pub fn clock(&mut self, since: u64, boot: u64, unix: u64) -> bool {
        let clock = Clock::new(unix, boot);
        let stepped = clock.distance(&self.clock) > CLOCK_STEP;
        if stepped {
            self.clock = clock;
            self.assembly.clock_stepped(since, boot, clock);
        }
        stepped
    }

    /// Every loss so far, by name; only those that are not zero.
    #[must_use]
    pub fn losses(&self) -> BTreeMap<&'static str, u64> {
        let mut all = self.lost.clone();
        let stages = self.exchanges.losses().into_iter().chain(self.assembly.losses());
        for (name, count) in stages.chain(self.namer.losses()) {
            *all.entry(name).or_default() += count;
        }
        *all.entry("calls_not_weighed").or_default() += self.causality.crowded();
        all.retain(|_, count| *count > 0);
        all
    }

    /// Exchanges left out on purpose.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        LeftOut { lookups: self.lookups_left_out, ..self.assembly.left_out() }
    }

    /// How many things are remembered of what has not left yet or may still matter, over all
    /// stages: when nothing happens, it falls to what the living processes and connections need.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.exchanges.remembered()
            + self.causality.remembered()
            + self.assembly.remembered()
            + self.known.len()
            + self.skipped.len()
            + self.unseen.len()
    }

    fn lose(&mut self, name: &'static str, count: u64) {
        *self.lost.entry(name).or_default() += count;
    }

    fn data(&mut self, record: &record::Data, head: &[u8], tail: &[u8], at: Moment) {
        let cookie = Cookie(record.header.cookie);
        if !self.known.contains(&at.pid) {
            // It has taken over a connection, most likely as a child of whoever had it before, and
            // may be over by now.
            let comm = self.exchanges.comm(cookie).to_owned();
            if let Some(from) = self.exchanges.user(cookie) {
                self.directory.takes_over(at.pid, from);
            }
            self.meet(at, &comm);
        }
        if self.skipped.contains(&at.pid) {
            return;
        }
        if record.flags & DATA_HELLO != 0 {
            self.causality.operation(at, cookie);
            self.exchanges.hello(record, head, at, &mut self.signals);
            self.flow();
            return;
        }
        if record.flags & DATA_TLS != 0 && !self.exchanges.is_tls(cookie) {
            // Before what it carries.
            let order = at.order.saturating_sub(1);
            self.causality.decoded(cookie, Moment { order, ..at });
        }
        self.causality.operation(at, cookie);
        self.exchanges.data(record, head, tail, at, &mut self.signals);
        if self.flow() {
            self.causality.lost(at);
        }
    }

    fn connection(&mut self, record: &record::Connection, at: Moment) {
        let bases = Bases::of_connection(record);
        let Some(info) = Info::of(record) else { return self.lose("unknown_families", 1) };
        let cookie = Cookie(record.header.cookie);
        let inbound = match self.seen(&info) {
            Some((pid, count)) => {
                self.causality.unseen(Moment { pid, ..at }, count);
                true
            }
            // One that the start-up scan did not take for incoming is outgoing.
            None => info.opener == Some(false),
        };
        match record.verdict {
            VERDICT_SELF => {
                // What it accepts are looks at its page.
                let side = if info.opener == Some(false) { Side::Server } else { Side::Client };
                let key = ConnectionKey::new(side, info.opener, bases);
                self.assembly.own_connection(key);
            }
            VERDICT_TLS => {
                if inbound {
                    self.causality.undecoded(cookie, at);
                }
                self.meet(at, &info.comm);
                self.directory.speaks_tls(at.pid);
                if !self.skipped.contains(&at.pid) {
                    self.exchanges.encrypted(record, info, inbound, at, &mut self.signals);
                    self.flow();
                }
            }
            VERDICT_OTHER | VERDICT_UNDECIDED if inbound => self.causality.undecoded(cookie, at),
            VERDICT_HTTP | VERDICT_BACKING => {
                self.causality.decoded(cookie, at);
                self.meet(at, &info.comm);
                self.exchanges.connection(record, info, at);
            }
            _ => {}
        }
    }

    /// Whether the connection is one that was there before the tracer: its process, and how many
    /// more of those that has.
    fn seen(&mut self, info: &Info) -> Option<(u32, u32)> {
        match (&info.local, &info.remote) {
            (&Address::Inet(local, local_port), &Address::Inet(remote, remote_port)) => {
                self.unseen.seen(&((local, local_port), (remote, remote_port)))
            }
            _ => None,
        }
    }

    /// Hands what the exchange stage said to the stages after it. Returns whether the beginning of
    /// a message may have gone unseen.
    fn flow(&mut self) -> bool {
        let mut unseen = false;
        for fault in self.exchanges.take_faults() {
            unseen |= fault.hides_messages();
            *self.lost.entry(fault.name()).or_default() += 1;
        }
        let mut signals = std::mem::take(&mut self.signals);
        for signal in signals.drain(..) {
            self.causality.signal(&signal);
            if let Signal::Started { side: Side::Server, port, at, .. } = signal {
                self.directory.serves(at.pid, port);
            }
            self.assembly.signal(signal);
        }
        self.signals = signals;
        unseen
    }

    fn finish(&mut self, placed: &Placed) {
        let exchange = &placed.exchange;
        // Another protocol that began like a request (Redis knows GET, too); the fault is counted.
        let nothing = exchange.request.is_none() && exchange.response.is_none();
        if nothing && exchange.incomplete.contains(Incomplete::Malformed) {
            return;
        }
        if placed.parent.is_none() && !self.lookups && is_lookup(exchange) {
            self.lookups_left_out += 1;
            return;
        }
        let time = exchange.ended.time;
        let resource = self.directory.resource(exchange.pid, time);
        let peer = placed.peer.map(|pid| self.directory.resource(pid, time).service.clone());
        let mut span = span(placed, resource, peer, &mut self.namer);
        if self.name_by_address {
            let request = exchange.request.as_ref();
            by_address(&mut span, request.and_then(|request| request.host.as_deref()));
        }
        self.spans.push(Arc::new(span));
    }
}

/// It asked for a name's address, or the like.
fn is_lookup(exchange: &Exchange) -> bool {
    let call = exchange.call.as_ref();
    call.is_some_and(|call| call.system.conventions() == Conventions::Lookup)
}
