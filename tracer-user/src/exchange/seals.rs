//! Encrypted connections whose plaintext is not had: one exchange stands for all of each.
//!
//! Most have a library that the probes can ask, and show it within milliseconds. So a connection is told
//! of only when it has been silent about that for a while, or is over; and if it does show later, the
//! exchange is taken back. What went on inside cannot be told apart: neither how many requests, nor
//! which of them caused what.

use std::collections::VecDeque;

use lru::LruCache;
use tracer_common::record::{self, DATA_SEND};

use crate::connection::{Bases, Cookie, Info, Moment};
use crate::protocol::tls::{Hello, Said, Speaker};

use super::{
    ConnectionKey, Exchange, ExchangeId, Incomplete, PairKey, Reasons, Sealed, Side, Signal,
};

/// How long plaintext is waited for, nanoseconds.
const PATIENCE: u64 = 1_000_000_000;

/// One of them.
#[derive(Debug)]
struct Seal {
    info: Info,
    bases: Bases,
    side: Side,
    /// Its first operation.
    first: Moment,
    /// What was received and what was sent in the clear, as far as it has come.
    said: [Said; 2],
    facts: Sealed,
    /// It was seen from its beginning.
    greeted: bool,
    /// It has been told of.
    begun: Option<ExchangeId>,
}

/// All that may still be, or are.
#[derive(Debug)]
pub(super) struct Seals {
    seals: LruCache<Cookie, Seal>,
    /// When each is to be told of, in that order.
    due: VecDeque<(u64, Cookie)>,
    limit: usize,
    evicted: u64,
}

/// What an exchange is told with.
pub(super) struct Telling<'a> {
    /// Number of the last exchange.
    pub(super) next: &'a mut u64,
    pub(super) signals: &'a mut Vec<Signal>,
}

impl Seals {
    /// None; at most `limit` are remembered.
    pub(super) fn new(limit: usize) -> Self {
        let (due, evicted) = <_>::default();
        Self { seals: LruCache::unbounded(), due, limit, evicted }
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, cookie: Cookie) -> bool {
        self.seals.contains(&cookie)
    }

    /// A connection carries TLS. `inbound`: as far as is known without its hellos.
    pub(super) fn open(
        &mut self,
        cookie: Cookie,
        (info, bases): (Info, Bases),
        inbound: bool,
        at: Moment,
        telling: &mut Telling<'_>,
    ) {
        if self.seals.contains(&cookie) {
            return;
        }
        while self.seals.len() >= self.limit.max(1) {
            let Some((cookie, seal)) = self.seals.pop_lru() else { break };
            self.evicted += 1;
            seal.end(cookie, at, Some(Incomplete::TableFull), telling);
        }
        let side = if inbound { Side::Server } else { Side::Client };
        let (said, facts, greeted, begun) = <_>::default();
        self.seals.put(cookie, Seal { info, bases, side, first: at, said, facts, greeted, begun });
        self.due.push_back((at.time.saturating_add(PATIENCE), cookie));
    }

    /// One side of a connection says hello, or goes on saying it.
    pub(super) fn hello(
        &mut self,
        record: &record::Data,
        bytes: &[u8],
        at: Moment,
        signals: &mut Vec<Signal>,
    ) {
        let cookie = Cookie(record.header.cookie);
        let Some(seal) = self.seals.get_mut(&cookie) else { return };
        let sent = record.flags & DATA_SEND != 0;
        let said = &mut seal.said[usize::from(sent)];
        let whole = said.push(bytes);
        let hello = whole.or_else(|| said.so_far());
        if let Some(hello) = hello {
            seal.hear(hello, sent);
        }
        if !std::mem::replace(&mut seal.greeted, true) && seal.side == Side::Client && sent {
            seal.first = at;
            signals.push(Signal::Opens { at, cookie });
        }
    }

    /// What a connection has moved so far.
    pub(super) fn traffic(&mut self, record: &record::Traffic) {
        if let Some(seal) = self.seals.peek_mut(&Cookie(record.header.cookie)) {
            seal.facts.traffic = Some((record.sent, record.received));
        }
    }

    /// A connection's plaintext is had.
    pub(super) fn decoded(&mut self, cookie: Cookie, signals: &mut Vec<Signal>) {
        if let Some(id) = self.seals.pop(&cookie).and_then(|seal| seal.begun) {
            signals.push(Signal::Unsealed(id));
        }
    }

    /// A connection is over.
    pub(super) fn close(&mut self, cookie: Cookie, at: Moment, telling: &mut Telling<'_>) {
        if let Some(seal) = self.seals.pop(&cookie) {
            seal.end(cookie, at, None, telling);
        }
    }

    /// A process ended. Unix sockets have no states that tell of their ends.
    pub(super) fn exited(&mut self, pid: u32, at: Moment, telling: &mut Telling<'_>) {
        let its = |seal: &Seal| seal.bases.unix && seal.first.pid == pid;
        let gone: Vec<_> =
            self.seals.iter().filter(|(_, seal)| its(seal)).map(|(cookie, _)| *cookie).collect();
        gone.into_iter().for_each(|cookie| self.close(cookie, at, telling));
    }

    /// Tells of those that have been silent for long enough by `now`.
    pub(super) fn poll(&mut self, now: u64, telling: &mut Telling<'_>) {
        while let Some(&(time, cookie)) = self.due.front()
            && time <= now
        {
            self.due.pop_front();
            // The number may be another one's by now only after a boot.
            if let Some(seal) = self.seals.peek_mut(&cookie) {
                seal.begin(cookie, telling);
            }
        }
    }

    /// The tracer stops.
    pub(super) fn stop(&mut self, at: Moment, telling: &mut Telling<'_>) {
        while let Some((cookie, seal)) = self.seals.pop_lru() {
            seal.end(cookie, at, Some(Incomplete::Stopped), telling);
        }
        self.due.clear();
    }

    /// Those that were given up, because they were too many.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// How many things are remembered.
    pub(super) fn len(&self) -> usize {
        self.seals.len() + self.due.len()
    }
}

impl Seal {
    fn hear(&mut self, hello: Hello, sent: bool) {
        let client = hello.speaker == Speaker::Client;
        self.side = if client == sent { Side::Client } else { Side::Server };
        if client {
            self.facts.server_name = hello.server_name;
            self.facts.offered = hello.protocols;
        } else {
            self.facts.protocol = hello.protocols.into_iter().next();
            self.facts.version = hello.version;
        }
    }

    /// Tells of it, if that was not done before; its number.
    fn begin(&mut self, cookie: Cookie, telling: &mut Telling<'_>) -> ExchangeId {
        if let Some(id) = self.begun {
            return id;
        }
        *telling.next += 1;
        let id = ExchangeId(*telling.next);
        self.begun = Some(id);
        // Whoever says hello so slowly is not waited for.
        self.said.iter_mut().for_each(Said::end);
        let connection = self.connection();
        telling.signals.push(Signal::Started {
            id,
            side: self.side,
            at: self.first,
            key: PairKey::of_connection(connection),
            connection,
            cookie,
            stream: None,
            sealed: true,
            port: self.info.local.port().unwrap_or(0),
        });
        id
    }

    fn end(
        mut self,
        cookie: Cookie,
        at: Moment,
        why: Option<Incomplete>,
        telling: &mut Telling<'_>,
    ) {
        let id = self.begin(cookie, telling);
        let connection = self.connection();
        let mut incomplete = Reasons::from(why);
        if !self.greeted {
            incomplete.insert(Incomplete::Lost);
        }
        let names = (cookie, connection, PairKey::of_connection(connection));
        let exchange = Exchange {
            ended: Moment { time: at.time.max(self.first.time), ..at },
            sealed: Some(Box::new(self.facts)),
            incomplete,
            ..Exchange::begin((id, self.side, self.first), names, Some(&self.info), true)
        };
        telling.signals.push(Signal::Ended(Box::new(exchange)));
    }

    fn connection(&self) -> ConnectionKey {
        ConnectionKey::new(self.side, self.info.opener, self.bases)
    }
}
