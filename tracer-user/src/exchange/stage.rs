//! From operations to exchanges.

mod encrypted;
mod pairs;

use std::num::NonZeroUsize;

use lru::LruCache;
use tracer_common::record::{
    self, DATA_SEND, DATA_TLS, STATE_CLOSED, STATE_DECODED, VERDICT_BACKING,
};

use crate::connection::{Bases, Chunk, Connections, Cookie, Info, Moment};
use crate::protocol::{Fault, Protocols};

use super::closing::Closing;
use super::full::Full;
use super::lane::{Lane, Place, Sink};
use super::pairing::Pairing;
use super::reorder::{Held, Reorder, Waiting};
use super::seals::Seals;
use super::{ConnectionKey, ExchangeId, Incomplete, Signal};

/// Encrypted connections that are remembered for themselves.
const MAX_SEALS: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// What is kept beside each connection.
#[derive(Debug, Default)]
struct Track {
    lane: Lane,
    reorder: Reorder,
    /// The last operation.
    last: Moment,
    /// When this side received last.
    received: u64,
    /// It is gone but for what can still be read.
    closing: bool,
}

/// A send or a receive, with the bytes of it that are known.
#[derive(Clone, Copy)]
struct Operation<'a> {
    record: &'a record::Data,
    head: &'a [u8],
    tail: &'a [u8],
    at: Moment,
}

/// The stage.
pub struct Exchanges {
    connections: Connections<Track>,
    pairing: Pairing,
    waiting: Waiting,
    closing: Closing,
    /// Sockets of UDP.
    datagrams: Closing,
    seals: Seals,
    /// The first calls over TLS connections.
    calls: LruCache<ConnectionKey, ExchangeId>,
    protocols: Protocols,
    /// Since when operations are seen, at least (boot time): when the stage was polled first.
    since: Option<u64>,
    next: u64,
    room: usize,
    refused: u64,
    full: Full,
    abandoned: u64,
    malformed: u64,
    conflicting: u64,
    faults: Vec<Fault>,
}

impl Exchanges {
    /// An empty stage that remembers at most `connections` connections and `open` open exchanges.
    #[must_use]
    pub fn new(connections: usize, open: usize, protocols: Protocols) -> Self {
        Self {
            connections: Connections::new(connections),
            pairing: Pairing::default(),
            waiting: Waiting::default(),
            closing: Closing::gone(),
            datagrams: Closing::datagrams(),
            seals: Seals::new(connections.min(MAX_SEALS.get())),
            calls: LruCache::new(MAX_SEALS),
            protocols,
            since: None,
            next: 0,
            room: open,
            refused: 0,
            full: Full::default(),
            abandoned: 0,
            malformed: 0,
            conflicting: 0,
            faults: vec![],
        }
    }

    /// A connection was told of.
    pub fn connection(&mut self, record: &record::Connection, info: Info, at: Moment) {
        let cookie = Cookie(record.header.cookie);
        if info.datagrams && self.connections.get(cookie).is_none() {
            self.datagrams.enter(cookie, at, at.time);
        }
        if let Some(connection) = self.connections.touch(cookie, record.header.pid) {
            connection.bases = Bases::of_connection(record);
            connection.info = Some(info);
            if record.verdict == VERDICT_BACKING {
                connection.state.lane.announce();
            }
        }
        self.rest(cookie);
    }

    /// An operation moved bytes, of which these are known.
    pub fn data(
        &mut self,
        record: &record::Data,
        head: &[u8],
        tail: &[u8],
        at: Moment,
        signals: &mut Vec<Signal>,
    ) {
        self.take(Operation { record, head, tail, at }, signals);
        self.rest(Cookie(record.header.cookie));
    }

    /// Lets a connection on which nothing is under way be forgotten, should room be needed.
    fn rest(&mut self, cookie: Cookie) {
        let track = self.connections.get_mut(cookie).map(|connection| &connection.state);
        if track.is_some_and(|track| track.lane.is_idle() && track.reorder.is_empty()) {
            self.connections.rest(cookie);
        }
    }

    /// Takes an operation, now or when its turn has come.
    fn take(&mut self, operation: Operation<'_>, signals: &mut Vec<Signal>) {
        let Operation { record, head, tail, at } = operation;
        let cookie = Cookie(record.header.cookie);
        if record.flags & DATA_TLS != 0 && !self.is_tls(cookie) {
            self.seals.decoded(cookie, signals);
            self.release(cookie, None, signals);
            self.with(cookie, signals, |lane, _, sink| lane.finish(at, Incomplete::Left, sink));
        }
        let Some(connection) = self.connections.touch(cookie, at.pid) else {
            self.full.note(at);
            return signals.push(Signal::Refused { at });
        };
        connection.rebase(record);
        let syn = connection.syn();
        if record.flags & DATA_SEND == 0 {
            // What a unix socket moved before it was first seen is not counted.
            let unix = connection.bases.unix;
            let midstream = connection.info.as_ref().is_none_or(|info| info.midstream && !unix);
            let Track { reorder, .. } = &mut connection.state;
            if !reorder.overtakes(record, &connection.sent, midstream, syn as u32) {
                return self.operation(operation, signals);
            }
            if reorder.has_room(head.len() + tail.len(), &self.waiting) {
                let held = Held { record: *record, head: head.into(), tail: tail.into(), at };
                reorder.hold(held, &mut self.waiting);
            } else {
                self.release(cookie, None, signals);
                self.operation(operation, signals);
            }
        } else {
            let end = record.write_seq.wrapping_sub(record.send_base);
            self.release(cookie, Some(end.wrapping_sub(record.len)), signals);
            self.operation(operation, signals);
            self.release(cookie, Some(end), signals);
        }
    }

    /// Lets receives go that waited for a send to begin at `until` or to get there.
    fn release(&mut self, cookie: Cookie, until: Option<u32>, signals: &mut Vec<Signal>) {
        while let Some(connection) = self.connections.get_mut(cookie)
            && let Some(held) = connection.state.reorder.release(until, &mut self.waiting)
        {
            let Held { record, head, tail, at } = &held;
            self.operation(Operation { record, head, tail, at: *at }, signals);
        }
    }

    /// Takes an operation whose turn it is.
    fn operation(&mut self, operation: Operation<'_>, signals: &mut Vec<Signal>) {
        let Operation { record, head, tail, at } = operation;
        let cookie = Cookie(record.header.cookie);
        let sent = record.flags & DATA_SEND != 0;
        if sent || record.len == 0 {
            if let (false, Some(connection)) = (sent, self.connections.get_mut(cookie)) {
                connection.received.end_read();
            }
            // Nothing passes over plaintext of TLS; and what another thread has just received may be
            // told of only after this.
            if record.flags & DATA_TLS == 0 {
                let stands = record.copied_seq.wrapping_sub(record.receive_base);
                self.pass(cookie, stands, at, signals);
            }
        }
        let Some(connection) = self.connections.get_mut(cookie) else { return };
        let position = if sent {
            let end = record.write_seq.wrapping_sub(record.send_base);
            connection.sent.start(end, record.len)
        } else {
            let end = record.copied_seq.wrapping_sub(record.receive_base);
            let left = connection.state.lane.body_left();
            connection.received.start_received(end, record.len, connection.is_fresh(), left)
        };
        connection.state.last = at;
        if !sent {
            connection.state.received = at.time;
        }
        let from = signals.len();
        let protocols = self.protocols.clone();
        self.with(cookie, signals, |lane, place, sink| {
            if record.len == 0 && !sent {
                lane.close(place, false, at, sink);
            } else {
                let chunk = Chunk { at, position, len: record.len.into(), head, tail };
                lane.operation(place, sent, &chunk, &protocols, sink);
            }
        });
        self.pair(from, signals);
    }

    /// A send tells how far this side had received (relative to the stream's base), and so do a read
    /// of the stream's end and a change of the connection's state. What was passed over unseen
    /// (splice) within a body is a part of it.
    fn pass(&mut self, cookie: Cookie, stands: u32, at: Moment, signals: &mut Vec<Signal>) {
        let Some(connection) = self.connections.get_mut(cookie) else { return };
        let received = &connection.received;
        let Some(until) = received.stands(stands, connection.is_fresh()) else { return };
        if received.seen().is_some_and(|seen| until <= seen) {
            return;
        }
        let mut passed = None;
        self.with(cookie, signals, |lane, place, sink| passed = lane.pass(place, until, at, sink));
        if let (Some(passed), Some(connection)) = (passed, self.connections.get_mut(cookie)) {
            connection.received.pass(passed);
        }
    }

    /// A connection changed state: to closed, or to one in which this side sends nothing more; or the
    /// plaintext is had of what it carries.
    pub fn state(&mut self, record: &record::State, at: Moment, signals: &mut Vec<Signal>) {
        let cookie = Cookie(record.header.cookie);
        if record.state == STATE_DECODED {
            return self.seals.decoded(cookie, signals);
        }
        // What TCP counts is not what TLS carries.
        if !self.is_tls(cookie) {
            self.pass(cookie, record.copied_seq.wrapping_sub(record.receive_base), at, signals);
        }
        match record.state {
            STATE_CLOSED => {
                self.telling(signals, |seals, telling| seals.close(cookie, at, telling));
                self.closed(cookie, at, signals);
            }
            _ => self.send_closed(cookie, at, signals),
        }
    }

    /// This side will send nothing more. If the process that used the connection last is gone,
    /// nobody else has it either, and it will receive nothing more.
    fn send_closed(&mut self, cookie: Cookie, at: Moment, signals: &mut Vec<Signal>) {
        let Some(connection) = self.connections.get_mut(cookie) else { return };
        let orphaned = connection.orphaned;
        let moved = connection.is_fresh() || connection.sent.seen().is_some();
        if moved && !connection.bases.tls {
            connection.sent.close(connection.syn());
        }
        self.release(cookie, None, signals);
        self.with(cookie, signals, |lane, place, sink| {
            lane.close(place, true, at, sink);
            if orphaned {
                lane.close(place, false, at, sink);
                lane.finish(at, Incomplete::Closed, sink);
            }
        });
        self.rest(cookie);
    }

    /// The connection is gone, but what it has received can still be read: if something is under
    /// way that goes on there, that is waited for.
    fn closed(&mut self, cookie: Cookie, at: Moment, signals: &mut Vec<Signal>) {
        let Some(connection) = self.connections.get_mut(cookie) else { return };
        if connection.state.lane.awaits_bytes() && !connection.orphaned {
            if std::mem::replace(&mut connection.state.closing, true) {
                return;
            }
            self.send_closed(cookie, at, signals);
            self.closing.enter(cookie, at, at.time);
        } else {
            self.end(cookie, at, signals);
        }
    }

    /// Nothing more will be heard of the connection.
    fn end(&mut self, cookie: Cookie, at: Moment, signals: &mut Vec<Signal>) {
        self.release(cookie, None, signals);
        self.with(cookie, signals, |lane, place, sink| {
            lane.close(place, true, at, sink);
            lane.close(place, false, at, sink);
            lane.finish(at, Incomplete::Closed, sink);
        });
        self.connections.remove(cookie);
    }

    /// A process ended, or its first thread did. Whether others have its connections, TCP's states
    /// tell. Unix sockets have none: what is under way ends here, and should others go on with the
    /// connection, it is found again at the next head.
    pub fn exited(&mut self, pid: u32, at: Moment, signals: &mut Vec<Signal>) {
        for cookie in self.connections.of_process(pid) {
            let Some(connection) = self.connections.get_mut(cookie) else { continue };
            connection.orphaned = true;
            if connection.bases.unix && !connection.state.lane.is_idle() {
                self.release(cookie, None, signals);
                self.with(cookie, signals, |lane, _, sink| lane.abandon(at, sink));
                self.rest(cookie);
            }
        }
        self.telling(signals, |seals, telling| seals.exited(pid, at, telling));
        self.full.exited(pid);
    }

    /// The tracer stops: whatever is open ends here, marked.
    pub fn stop(&mut self, at: Moment, signals: &mut Vec<Signal>) {
        self.poll(u64::MAX, signals);
        let mut cookies: Vec<_> = self.connections.cookies().collect();
        cookies.sort_unstable();
        for cookie in cookies {
            self.with(cookie, signals, |lane, _, sink| lane.finish(at, Incomplete::Stopped, sink));
        }
        self.telling(signals, |seals, telling| seals.stop(at, telling));
    }

    /// The process that used a connection last.
    #[must_use]
    pub fn user(&self, cookie: Cookie) -> Option<u32> {
        self.connections.get(cookie).map(|connection| connection.pid)
    }

    /// Whether plaintext of a TLS session was seen on a connection.
    #[must_use]
    pub fn is_tls(&self, cookie: Cookie) -> bool {
        self.connections.get(cookie).is_some_and(|connection| connection.bases.tls)
    }

    /// Name of the first thread that was seen to use a connection.
    #[must_use]
    pub fn comm(&self, cookie: Cookie) -> &str {
        let connection = self.connections.get(cookie);
        connection.and_then(|it| it.info.as_ref()).map_or("", |info| &info.comm)
    }

    /// What the protocol engine objected to since the last call.
    pub fn take_faults(&mut self) -> impl Iterator<Item = Fault> + '_ {
        self.faults.drain(..)
    }

    /// What was left out, by name.
    #[must_use]
    pub fn losses(&self) -> [(&'static str, u64); 8] {
        [
            ("tls_connections_full", self.seals.evicted()),
            ("connections_evicted", self.connections.evicted()),
            ("connections_full", self.connections.refused()),
            ("open_exchanges_full", self.refused),
            ("messages_abandoned", self.abandoned),
            ("pair_key_clashes", self.pairing.clashes()),
            ("context_headers_malformed", self.malformed),
            ("context_headers_conflicting", self.conflicting),
        ]
    }

    /// Lets time pass up to `now` (boot clock).
    pub fn poll(&mut self, now: u64, signals: &mut Vec<Signal>) {
        self.since.get_or_insert(now);
        self.telling(signals, |seals, telling| seals.poll(now, telling));
        self.pairing.expire(now);
        while let Some((since, cookie, at)) = self.datagrams.due(now) {
            let last = self.connections.get(cookie).map_or(at, |connection| connection.state.last);
            match last.time > since {
                true => self.datagrams.enter(cookie, at, last.time),
                false => self.end(cookie, last, signals),
            }
        }
        while let Some((since, cookie, at)) = self.closing.due(now) {
            let last = self.connections.get(cookie).map(|connection| connection.state.last);
            match last.filter(|last| last.order > at.order) {
                Some(last) if last.time > since => self.closing.enter(cookie, at, last.time),
                // What was read after the end is a part of it.
                last => self.end(cookie, last.unwrap_or(at), signals),
            }
        }
    }

    /// How many things are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.connections.len()
            + self.pairing.len()
            + self.closing.len()
            + self.datagrams.len()
            + self.full.len()
            + self.seals.len()
    }

    fn with(
        &mut self,
        cookie: Cookie,
        signals: &mut Vec<Signal>,
        act: impl FnOnce(&mut Lane, &Place<'_>, &mut Sink<'_>),
    ) {
        let Some(connection) = self.connections.get_mut(cookie) else { return };
        let (info, bases) = (connection.info.as_ref(), connection.bases);
        let place = Place { cookie, info, bases, since: self.since.unwrap_or(0) };
        let mut sink = Sink {
            signals,
            faults: &mut self.faults,
            next: &mut self.next,
            room: &mut self.room,
            refused: &mut self.refused,
            full: &mut self.full,
            abandoned: &mut self.abandoned,
            malformed: &mut self.malformed,
            conflicting: &mut self.conflicting,
        };
        act(&mut connection.state.lane, &place, &mut sink);
    }
}
