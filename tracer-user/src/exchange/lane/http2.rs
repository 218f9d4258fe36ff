//! An HTTP/2 connection's exchanges.

use std::collections::BTreeMap;

use crate::connection::{Chunk, Moment};
use crate::exchange::{Incomplete, PairKey, Side};
use crate::protocol::http1::Limits;
use crate::protocol::http2::{Abandon, Engine, Event, Outcome};

use super::driver::Driver;
use super::open::{Open, Place, Sink};

/// One exchange a stream.
#[derive(Debug)]
pub(super) struct Http2 {
    pub(super) driver: Driver<Engine>,
    pub(super) open: BTreeMap<u32, Open>,
}

impl Http2 {
    /// `fresh`: the connection is seen from its preface on.
    pub(super) fn new(side: Side, fresh: bool, limits: &Limits) -> Self {
        let engine = Engine::new(limits.clone(), fresh);
        Self { driver: Driver::new(side, engine), open: BTreeMap::new() }
    }

    /// After an upgrade; this exchange is that of stream 1.
    pub(super) fn upgraded(side: Side, open: Open, limits: &Limits) -> Self {
        let mut new = Self::new(side, true, limits);
        new.driver.engine.upgraded();
        new.open.insert(1, open);
        new
    }

    /// Takes one operation.
    pub(super) fn operation(
        &mut self,
        place: &Place<'_>,
        sent: bool,
        chunk: &Chunk<'_>,
        sink: &mut Sink<'_>,
    ) {
        self.driver.operation(sent, chunk);
        self.apply(place, sink);
    }

    /// Ends whatever is open.
    pub(super) fn finish(&mut self, at: Moment, why: Incomplete, sink: &mut Sink<'_>) {
        for open in std::mem::take(&mut self.open).into_values() {
            open.end(at, Some(why), sink);
        }
    }

    /// What is under way goes on with bytes that this side receives.
    pub(super) fn awaits_bytes(&self) -> bool {
        match self.driver.side {
            Side::Client => !self.open.is_empty(),
            Side::Server => self.open.values().any(|open| !open.request_over),
        }
    }

    /// Hears what the engine has found out.
    pub(super) fn apply(&mut self, place: &Place<'_>, sink: &mut Sink<'_>) {
        let mut events = std::mem::take(&mut self.driver.events);
        for event in events.drain(..) {
            self.event(place, event, sink);
        }
        self.driver.events = events;
    }

    fn event(&mut self, place: &Place<'_>, event: Event, sink: &mut Sink<'_>) {
        match event {
            Event::RequestStarted { stream, at } => {
                let side = self.driver.side;
                let key = PairKey::of_stream(place.key(side), stream);
                let open = Open::begin(place, side, at, key, Some(stream), sink);
                self.open.insert(stream, open);
            }
            Event::RequestHead(stream, head) => {
                if let Some(open) = self.open.get_mut(&stream) {
                    open.head(head, sink);
                }
            }
            Event::RequestEnded { stream, body } => {
                if let Some(open) = self.open.get_mut(&stream) {
                    open.request_over = true;
                    open.exchange.request_body = body;
                }
            }
            Event::ResponseStarted { stream, at } => {
                if let Some(open) = self.open.get_mut(&stream) {
                    open.replied(at, sink);
                }
            }
            Event::ResponseHead(stream, head) => {
                if let Some(open) = self.open.get_mut(&stream) {
                    open.exchange.response = Some(head);
                }
            }
            Event::Ended { stream, at, outcome } => self.end(stream, at, None, *outcome, sink),
            Event::Abandoned { stream, at, why, outcome } => {
                *sink.abandoned += u64::from(matches!(why, Abandon::Loss | Abandon::Full));
                let why = match why {
                    Abandon::Loss | Abandon::Full => Incomplete::Lost,
                    Abandon::Closed => Incomplete::Closed,
                };
                self.end(stream, at, Some(why), *outcome, sink);
            }
            Event::Fault(fault) => sink.faults.push(fault.into()),
        }
    }

    fn end(
        &mut self,
        stream: u32,
        at: Moment,
        why: Option<Incomplete>,
        outcome: Outcome,
        sink: &mut Sink<'_>,
    ) {
        let Some(mut open) = self.open.remove(&stream) else { return };
        let exchange = &mut open.exchange;
        // The body of a request that was upgraded came before.
        exchange.request_body = exchange.request_body.max(outcome.request_body);
        exchange.response_body = outcome.response_body;
        exchange.reset = outcome.reset;
        exchange.rpc = outcome.rpc.map(Box::new);
        exchange.incomplete.extend(outcome.fault.map(Incomplete::from).into());
        open.end(at, why, sink);
    }
}
