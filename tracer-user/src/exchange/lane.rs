//! One connection's exchanges: which side this is, and which message belongs to which.

use std::collections::VecDeque;

use tracer_common::head::{Start, look_at};

use crate::connection::{Address, Bases, Chunk, Cookie, Info, Moment};
use crate::protocol::http1::{Abandon, Direction, Engine, Event, Fault, Limits, begins_request};

use super::full::Full;
use super::{ConnectionKey, Exchange, ExchangeId, Incomplete, PairKey, Reasons, Side, Signal};

/// Of one connection. Requests are answered in the order in which they were sent (RFC 9112, 9.3.2),
/// and the engine keeps to that, so a queue is all it takes.
#[derive(Debug, Default)]
pub(super) struct Lane {
    http: Option<(Side, Box<Engine>)>,
    open: VecDeque<Open>,
    /// What the bytes that this side read last belong to.
    reading: Reading,
    left: bool,
    events: Vec<Event>,
}

/// An exchange whose bytes are read.
#[derive(Clone, Copy, Debug, Default)]
enum Reading {
    /// None that is known.
    #[default]
    Nothing,
    /// This one.
    Exchange(ExchangeId),
    /// One that there was no room for.
    Silent,
}

impl Reading {
    fn of(id: ExchangeId, silent: bool) -> Self {
        if silent { Reading::Silent } else { Reading::Exchange(id) }
    }
}

/// What a lane needs to know of its connection.
pub(super) struct Place<'a> {
    /// Its socket.
    pub(super) cookie: Cookie,
    /// Addresses, if they were told.
    pub(super) info: Option<&'a Info>,
    /// Where the sequence numbers begin.
    pub(super) bases: Bases,
}

impl Place<'_> {
    /// 1 where this side's sent stream is known to count its SYN as a byte.
    fn syn(&self) -> u64 {
        self.info.is_some_and(|info| info.opener == Some(true)).into()
    }
}

#[derive(Debug)]
struct Open {
    exchange: Exchange,
    request_over: bool,
    /// Not all of the request was seen.
    cut: bool,
    /// There was no room for it: it keeps its place in the queue, but nobody hears of it.
    silent: bool,
}

/// What a lane writes its findings to.
pub(super) struct Sink<'a> {
    /// Everything that happened, in order.
    pub(super) signals: &'a mut Vec<Signal>,
    /// What the engine objected to.
    pub(super) faults: &'a mut Vec<Fault>,
    /// Number of the next exchange.
    pub(super) next: &'a mut u64,
    /// Exchanges that may still be opened, over all connections.
    pub(super) room: &'a mut usize,
    /// Exchanges that were not, for want of room.
    pub(super) refused: &'a mut u64,
    /// Who did what was left out for want of room.
    pub(super) full: &'a mut Full,
    /// Requests whose response will not be told because something was lost.
    pub(super) abandoned: &'a mut u64,
    /// Headers of propagation formats that were malformed.
    pub(super) malformed: &'a mut u64,
    /// Requests whose propagated contexts disagree.
    pub(super) conflicting: &'a mut u64,
}

impl Lane {
    /// Takes one operation. `sent`: this side sent it.
    pub(super) fn operation(
        &mut self,
        place: &Place<'_>,
        sent: bool,
        chunk: &Chunk<'_>,
        limits: &Limits,
        sink: &mut Sink<'_>,
    ) {
        if self.left {
            return;
        }
        if self.http.is_none() {
            let opener = place.info.and_then(|info| info.opener);
            let Some(side) = side(sent, chunk.head, opener) else {
                if chunk.head.is_empty() {
                    sink.faults.push(Fault::MessageStartUnseen);
                }
                return;
            };
            self.http = Some((side, Box::new(Engine::new(limits.clone()))));
        }
        let Some((side, engine)) = &mut self.http else { return };
        let side = *side;
        let events = &mut self.events;
        // The engine knows a connection's first byte by its position.
        let position = chunk.position.saturating_sub(if sent { place.syn() } else { 0 });
        let chunk = &Chunk { position, ..*chunk };
        if sent == (side == Side::Client) {
            engine.request(chunk, &mut |event| events.push(event));
        } else {
            engine.response(chunk, &mut |event| events.push(event));
        }
        self.apply(place, side, Incomplete::Lost, sink);
        if self.left {
            sink.signals.push(Signal::Left { cookie: place.cookie, side, at: chunk.at });
        }
        match self.reading {
            Reading::Exchange(id) if !sent => sink.signals.push(Signal::Read { id, at: chunk.at }),
            Reading::Silent if !sent => sink.signals.push(Signal::Refused { at: chunk.at }),
            _ => {}
        }
    }

    /// What this side has received up to stream position `until`, it has by the time of `at`, in
    /// operations that were not seen. Returns up to where that has been taken.
    pub(super) fn pass(
        &mut self,
        place: &Place<'_>,
        until: u64,
        at: Moment,
        sink: &mut Sink<'_>,
    ) -> Option<u64> {
        let (side, engine) = self.http.as_mut()?;
        let side = *side;
        let events = &mut self.events;
        let passed = engine.pass(received(side), until, at, &mut |event| events.push(event));
        self.apply(place, side, Incomplete::Lost, sink);
        passed
    }

    /// How many bytes the body under way in the received direction is known to go on.
    pub(super) fn body_left(&self) -> u64 {
        self.http.as_ref().map_or(0, |(side, engine)| engine.body_left(received(*side)))
    }

    /// Nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// What is under way goes on with bytes that this side receives.
    pub(super) fn awaits_bytes(&self) -> bool {
        match &self.http {
            Some((Side::Client, _)) => !self.open.is_empty(),
            Some((Side::Server, _)) => self.open.back().is_some_and(|open| !open.request_over),
            None => false,
        }
    }

    /// No more bytes will come in one direction. `sent`: this side's own.
    pub(super) fn close(&mut self, place: &Place<'_>, sent: bool, at: Moment, sink: &mut Sink<'_>) {
        let Some((side, engine)) = &mut self.http else { return };
        let side = *side;
        let direction = if sent { received(side.other()) } else { received(side) };
        let events = &mut self.events;
        engine.close(direction, at, &mut |event| events.push(event));
        self.apply(place, side, Incomplete::Closed, sink);
    }

    /// Ends whatever is open.
    pub(super) fn finish(&mut self, at: Moment, why: Incomplete, sink: &mut Sink<'_>) {
        while !self.open.is_empty() {
            self.end(at, Some(why), sink);
        }
    }

    /// Ends whatever is open, and forgets how far it was: the connection may go on.
    pub(super) fn abandon(&mut self, at: Moment, sink: &mut Sink<'_>) {
        self.finish(at, Incomplete::Closed, sink);
        self.http = None;
        self.reading = Reading::default();
    }

    /// `cut`: what it means if a message has ended before its time.
    fn apply(&mut self, place: &Place<'_>, side: Side, cut: Incomplete, sink: &mut Sink<'_>) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            self.event(place, side, cut, event, sink);
        }
        self.events = events;
    }

    fn event(
        &mut self,
        place: &Place<'_>,
        side: Side,
        cut: Incomplete,
        event: Event,
        sink: &mut Sink<'_>,
    ) {
        match event {
            Event::RequestStarted { at, position } => self.begin(place, side, at, position, sink),
            Event::RequestHead(head, _) => {
                if let Some(open) = self.open.back_mut().filter(|open| !open.request_over) {
                    *sink.malformed += u64::from(head.context.malformed);
                    *sink.conflicting += u64::from(head.context.conflicting);
                    if !open.silent {
                        let context = head.context.context.clone().map(Box::new);
                        let correlation = head.context.correlation.clone();
                        let id = open.exchange.id;
                        sink.signals.push(Signal::Head { id, context, correlation });
                    }
                    open.exchange.request = Some(head);
                }
            }
            Event::RequestEnded { body, complete, fault, .. } => {
                if let Some(open) = self.open.back_mut().filter(|open| !open.request_over) {
                    open.request_over = true;
                    open.cut = !complete && fault.is_none();
                    open.exchange.request_body = body;
                    open.exchange.incomplete.extend(fault.map(Incomplete::from).into());
                }
            }
            Event::ResponseStarted { at } => {
                if let Some(open) = self.open.front_mut() {
                    open.exchange.replied = Some(at);
                    let (id, silent) = (open.exchange.id, open.silent);
                    if side == Side::Client {
                        self.reading = Reading::of(id, silent);
                    }
                    if !silent {
                        sink.signals.push(Signal::Replied { id, at });
                    }
                }
            }
            Event::ResponseHead(head, _) => {
                if let Some(open) = self.open.front_mut() {
                    open.exchange.response = Some(head);
                }
            }
            Event::ResponseEnded { at, body, complete, fault } => {
                if let Some(open) = self.open.front_mut() {
                    open.exchange.response_body = body;
                    let fault = fault.map(Incomplete::from);
                    self.end(at, fault.or((!complete).then_some(cut)), sink);
                }
            }
            Event::Abandoned { at, why } => {
                *sink.abandoned += u64::from(matches!(why, Abandon::Loss | Abandon::Unreadable(_)));
                let why = match why {
                    Abandon::Loss => Incomplete::Lost,
                    Abandon::Unreadable(fault) => fault.into(),
                    Abandon::Closed => Incomplete::Closed,
                    Abandon::Left => Incomplete::Left,
                };
                self.end(at, Some(why), sink);
            }
            // The exchange has left already; the fault that comes with it is counted.
            Event::Extended { .. } => {}
            Event::Left(_) => {
                self.left = true;
            }
            Event::Fault(fault) => sink.faults.push(fault),
        }
    }

    fn begin(
        &mut self,
        place: &Place<'_>,
        side: Side,
        at: Moment,
        position: u64,
        sink: &mut Sink<'_>,
    ) {
        let opener = place.info.and_then(|info| info.opener);
        // The key takes the position as TCP counts it.
        let position = position + if side == Side::Client { place.syn() } else { 0 };
        *sink.next += 1;
        let id = ExchangeId(*sink.next);
        let exchange = Exchange {
            id,
            side,
            pid: at.pid,
            cookie: place.cookie,
            connection: ConnectionKey::new(side, opener, place.bases),
            key: PairKey::new(side, opener, place.bases, position),
            local: place.info.map(|info| info.local.clone()),
            remote: place.info.map(|info| info.remote.clone()),
            comm: place.info.map(|info| info.comm.clone()).unwrap_or_default(),
            started: at,
            replied: None,
            ended: at,
            request: None,
            response: None,
            request_body: 0,
            response_body: 0,
            incomplete: Reasons::default(),
        };
        let silent = *sink.room == 0;
        if side == Side::Server {
            self.reading = Reading::of(id, silent);
        }
        if silent {
            *sink.refused += 1;
            sink.full.note(at);
        } else {
            *sink.room -= 1;
            let (key, connection) = (exchange.key, exchange.connection);
            let port = exchange.local.as_ref().and_then(Address::port).unwrap_or(0);
            let cookie = place.cookie;
            sink.signals.push(Signal::Started { id, side, at, key, connection, cookie, port });
        }
        self.open.push_back(Open { exchange, request_over: false, cut: false, silent });
    }

    fn end(&mut self, at: Moment, why: Option<Incomplete>, sink: &mut Sink<'_>) {
        let Some(Open { mut exchange, cut, silent, .. }) = self.open.pop_front() else { return };
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

/// What a side receives.
fn received(side: Side) -> Direction {
    match side {
        Side::Client => Direction::Response,
        Side::Server => Direction::Request,
    }
}

/// Which side this is, by what it sends or receives first; a method that is not known takes a whole
/// request line. The single letter H may begin HEAD as
/// well as HTTP; then whoever called connect(2) is the client.
pub(crate) fn side(sent: bool, head: &[u8], opener: Option<bool>) -> Option<Side> {
    let sends_requests = match look_at(head) {
        Start::Request | Start::ConnectRequest | Start::ProxyPrefix => sent,
        Start::Response => !sent,
        Start::Partial if head.starts_with(b"H") => opener?,
        Start::Partial => sent,
        Start::Other if begins_request(head) => sent,
        Start::Other => return None,
    };
    Some(if sends_requests { Side::Client } else { Side::Server })
}
