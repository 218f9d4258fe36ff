//! An exchange while it goes on.

use crate::connection::{Bases, Cookie, Info, Moment};
use crate::exchange::full::Full;
use crate::exchange::{ConnectionKey, Exchange, ExchangeId, Incomplete, PairKey, Side, Signal};
use crate::protocol::Fault;
use crate::protocol::http1::RequestHead;

/// What a lane needs to know of its connection.
pub(in crate::exchange) struct Place<'a> {
    /// Its socket.
    pub(in crate::exchange) cookie: Cookie,
    /// Addresses, if they were told.
    pub(in crate::exchange) info: Option<&'a Info>,
    /// Where the sequence numbers begin.
    pub(in crate::exchange) bases: Bases,
    /// Since when operations are seen (boot time).
    pub(in crate::exchange) since: u64,
}

impl Place<'_> {
    /// 1 where this side's sent stream is known to count its SYN as a byte.
    pub(super) fn syn(&self) -> u64 {
        (self.opener() == Some(true) && !self.bases.tls).into()
    }

    /// Whether this side called connect(2).
    pub(super) fn opener(&self) -> Option<bool> {
        self.info.and_then(|info| info.opener)
    }

    /// Names the connection at both ends.
    pub(super) fn key(&self, side: Side) -> ConnectionKey {
        ConnectionKey::new(side, self.opener(), self.bases)
    }
}

/// What a lane writes its findings to.
pub(in crate::exchange) struct Sink<'a> {
    /// Everything that happened, in order.
    pub(in crate::exchange) signals: &'a mut Vec<Signal>,
    /// What the engine objected to.
    pub(in crate::exchange) faults: &'a mut Vec<Fault>,
    /// Number of the next exchange.
    pub(in crate::exchange) next: &'a mut u64,
    /// Exchanges that may still be opened, over all connections.
    pub(in crate::exchange) room: &'a mut usize,
    /// Exchanges that were not, for want of room.
    pub(in crate::exchange) refused: &'a mut u64,
    /// Who did what was left out for want of room.
    pub(in crate::exchange) full: &'a mut Full,
    /// Requests whose response will not be told because something was lost.
    pub(in crate::exchange) abandoned: &'a mut u64,
    /// Headers of propagation formats that were malformed.
    pub(in crate::exchange) malformed: &'a mut u64,
    /// Requests whose propagated contexts disagree.
    pub(in crate::exchange) conflicting: &'a mut u64,
}

/// An exchange that is not over.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) exchange: Exchange,
    pub(super) request_over: bool,
    /// Not all of the request was seen.
    pub(super) cut: bool,
    /// There was no room for it: it keeps its place, but nobody hears of it.
    pub(super) silent: bool,
}

impl Open {
    /// A request begins. `stream`: its number on a connection that carries several at once.
    pub(super) fn begin(
        place: &Place<'_>,
        side: Side,
        at: Moment,
        key: PairKey,
        stream: Option<u32>,
        sink: &mut Sink<'_>,
    ) -> Self {
        let port = place.info.and_then(|info| info.local.port()).unwrap_or(0);
        Self::start(place, (side, side), (at, key, stream, port), sink)
    }

    /// A message has come that this side had not asked for, over a connection of which it is the client:
    /// whatever that makes it do, it does for nobody else.
    pub(super) fn arrives(
        place: &Place<'_>,
        at: Moment,
        key: PairKey,
        sink: &mut Sink<'_>,
    ) -> Self {
        // It serves nobody at its port.
        Self::start(place, (Side::Server, Side::Client), (at, key, None, 0), sink)
    }

    /// `side`: of the exchange, and of the connection.
    fn start(
        place: &Place<'_>,
        (side, of): (Side, Side),
        (at, key, stream, port): (Moment, PairKey, Option<u32>, u16),
        sink: &mut Sink<'_>,
    ) -> Self {
        *sink.next += 1;
        let id = ExchangeId(*sink.next);
        let connection = place.key(of);
        let names = (place.cookie, connection, key);
        let exchange = Exchange {
            stream,
            ..Exchange::begin((id, side, at), names, place.info, place.bases.tls)
        };
        let silent = *sink.room == 0;
        if silent {
            *sink.refused += 1;
            sink.full.note(at);
        } else {
            *sink.room -= 1;
            let (cookie, sealed) = (place.cookie, false);
            let started =
                Signal::Started { id, side, at, key, connection, cookie, stream, sealed, port };
            sink.signals.push(started);
        }
        Self { exchange, request_over: false, cut: false, silent }
    }

    /// The request's head is known.
    pub(super) fn head(&mut self, head: Box<RequestHead>, sink: &mut Sink<'_>) {
        *sink.malformed += u64::from(head.context.malformed);
        *sink.conflicting += u64::from(head.context.conflicting);
        if !self.silent {
            let context = head.context.context.clone().map(Box::new);
            let correlation = head.context.correlation.clone();
            let (id, target) = (self.exchange.id, head.asks_for());
            sink.signals.push(Signal::Head { id, context, correlation, target });
        }
        self.exchange.request = Some(head);
    }

    /// The response begins.
    pub(super) fn replied(&mut self, at: Moment, sink: &mut Sink<'_>) {
        self.exchange.replied = Some(at);
        if !self.silent {
            sink.signals.push(Signal::Replied { id: self.exchange.id, at });
        }
    }

    /// It is over.
    pub(super) fn end(self, at: Moment, why: Option<Incomplete>, sink: &mut Sink<'_>) {
        let Open { mut exchange, cut, silent, .. } = self;
        if silent {
            return;
        }
        *sink.room += 1;
        exchange.ended = at;
        exchange.incomplete.extend(why.or(cut.then_some(Incomplete::Lost)).into());
        // A call needs nothing of its own process before it is over.
        if exchange.side == Side::Server && sink.full.since(exchange.started) {
            exchange.incomplete.insert(Incomplete::TableFull);
        }
        sink.signals.push(Signal::Ended(Box::new(exchange)));
    }
}
