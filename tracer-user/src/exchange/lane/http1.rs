//! An HTTP/1 connection's exchanges.

use std::collections::VecDeque;

use crate::connection::{Chunk, Moment};
use crate::exchange::{ExchangeId, Incomplete, PairKey, Side, Signal};
use crate::protocol::http1::{Abandon, Engine, Event, Leave, Limits};

use super::Speech;
use super::driver::Driver;
use super::http2::Http2;
use super::open::{Open, Place, Sink};
use super::websocket::WebSocket;

/// Requests are answered in the order in which they were sent (RFC 9112, 9.3.2), and the engine keeps
/// to that, so a queue is all it takes.
#[derive(Debug)]
pub(super) struct Http1 {
    pub(super) driver: Driver<Engine>,
    pub(super) open: VecDeque<Open>,
    /// What the bytes that this side read last belong to.
    reading: Reading,
    pub(super) left: bool,
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
    fn of(open: &Open) -> Self {
        if open.silent { Reading::Silent } else { Reading::Exchange(open.exchange.id) }
    }
}

impl Http1 {
    pub(super) fn new(side: Side, limits: &Limits) -> Self {
        Self {
            driver: Driver::new(side, Engine::new(limits.clone())),
            open: VecDeque::new(),
            reading: Reading::default(),
            left: false,
        }
    }

    /// Takes one operation; what the connection becomes if it goes on as something else.
    pub(super) fn operation(
        &mut self,
        place: &Place<'_>,
        sent: bool,
        chunk: &Chunk<'_>,
        limits: &Limits,
        sink: &mut Sink<'_>,
    ) -> Option<Speech> {
        let side = self.driver.side;
        self.driver.operation(sent, chunk);
        if let Some(mut next) = self.upgrade(place, limits, sink) {
            if let Some(behind) = chunk.from(self.driver.engine.left_at()) {
                next.operation(place, sent, &behind, sink);
            }
            return Some(Speech::Http2(Box::new(next)));
        }
        if let Some(mut next) = self.websocket(place, sink) {
            sink.signals.push(Signal::Left { cookie: place.cookie, side, at: chunk.at });
            next.operation(sent, chunk, sink);
            return Some(Speech::WebSocket(Box::new(next)));
        }
        self.apply(place, Incomplete::Lost, sink);
        if self.left {
            sink.signals.push(Signal::Left { cookie: place.cookie, side, at: chunk.at });
        }
        match self.reading {
            Reading::Exchange(id) if !sent => sink.signals.push(Signal::Read { id, at: chunk.at }),
            Reading::Silent if !sent => sink.signals.push(Signal::Refused { at: chunk.at }),
            _ => {}
        }
        None
    }

    /// The operation ended in a 101 that makes the connection HTTP/2 (RFC 7540 section 3.2): the
    /// request is that of stream 1, where its answer comes.
    fn upgrade(
        &mut self,
        place: &Place<'_>,
        limits: &Limits,
        sink: &mut Sink<'_>,
    ) -> Option<Http2> {
        let events = &mut self.driver.events;
        if !matches!(events.last(), Some(Event::Left(Leave::Upgrade))) {
            return None;
        }
        let answer =
            events.iter().rposition(|event| matches!(event, Event::ResponseStarted { .. }))?;
        let answered = events.split_off(answer);
        // What came before belongs to other requests, or to this one's end.
        self.apply(place, Incomplete::Lost, sink);
        let upgrades = |open: &Open| {
            let wish = open.exchange.request.as_ref().and_then(|head| head.upgrade.as_deref());
            let h2c = |name: &str| name.trim().eq_ignore_ascii_case("h2c");
            wish.is_some_and(|wish| wish.split(',').any(h2c))
        };
        if !self.open.front().is_some_and(upgrades) {
            self.driver.events = answered;
            return None;
        }
        let open = self.open.pop_front()?;
        // None of the events that are left is of another request, or it is given up with HTTP/1.
        while let Some(other) = self.open.pop_front() {
            other.end(open.exchange.started, Some(Incomplete::Left), sink);
        }
        Some(Http2::upgraded(self.driver.side, open, limits))
    }

    /// The operation ended in a 101 that makes the connection WebSocket: the exchange is not over with
    /// it. What its process does from now on may be for any message, or for none.
    fn websocket(&mut self, place: &Place<'_>, sink: &mut Sink<'_>) -> Option<WebSocket> {
        let events = &mut self.driver.events;
        if !matches!(events.last(), Some(Event::Left(Leave::WebSocket))) {
            return None;
        }
        let end = events.iter().rposition(|it| matches!(it, Event::ResponseEnded { .. }))?;
        events.truncate(end);
        self.apply(place, Incomplete::Lost, sink);
        let mut open = self.open.pop_front()?;
        open.request_over = true;
        while let Some(other) = self.open.pop_front() {
            other.end(open.exchange.started, Some(Incomplete::Left), sink);
        }
        Some(WebSocket::new(self.driver.side, open, self.driver.engine.websocket()))
    }

    /// Ends whatever is open.
    pub(super) fn finish(&mut self, at: Moment, why: Incomplete, sink: &mut Sink<'_>) {
        while !self.open.is_empty() {
            self.end(at, Some(why), sink);
        }
    }

    /// What is under way goes on with bytes that this side receives.
    pub(super) fn awaits_bytes(&self) -> bool {
        match self.driver.side {
            Side::Client => !self.open.is_empty(),
            Side::Server => self.open.back().is_some_and(|open| !open.request_over),
        }
    }

    /// Hears what the engine has found out. `cut`: what it means if a message has ended before its time.
    pub(super) fn apply(&mut self, place: &Place<'_>, cut: Incomplete, sink: &mut Sink<'_>) {
        let mut events = std::mem::take(&mut self.driver.events);
        for event in events.drain(..) {
            self.event(place, cut, event, sink);
        }
        self.driver.events = events;
    }

    fn event(&mut self, place: &Place<'_>, cut: Incomplete, event: Event, sink: &mut Sink<'_>) {
        match event {
            Event::RequestStarted { at, position } => self.begin(place, at, position, sink),
            Event::RequestHead(head, _) => {
                if let Some(open) = self.open.back_mut().filter(|open| !open.request_over) {
                    open.head(head, sink);
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
                    if self.driver.side == Side::Client {
                        self.reading = Reading::of(open);
                    }
                    open.replied(at, sink);
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
            Event::Left(_) => self.left = true,
            Event::Fault(fault) => sink.faults.push(fault.into()),
        }
    }

    fn begin(&mut self, place: &Place<'_>, at: Moment, position: u64, sink: &mut Sink<'_>) {
        let side = self.driver.side;
        // The key takes the position as TCP counts it.
        let position = position + if side == Side::Client { place.syn() } else { 0 };
        let key = PairKey::new(side, place.opener(), place.bases, position);
        let open = Open::begin(place, side, at, key, None, sink);
        if side == Side::Server {
            self.reading = Reading::of(&open);
        }
        self.open.push_back(open);
    }

    fn end(&mut self, at: Moment, why: Option<Incomplete>, sink: &mut Sink<'_>) {
        if let Some(open) = self.open.pop_front() {
            open.end(at, why, sink);
        }
    }
}
