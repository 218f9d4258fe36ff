//! The exchanges of a connection to a backing service: one a call, or a batch of them.

use std::collections::BTreeMap;

use crate::connection::{Chunk, Moment};
use crate::exchange::{Incomplete, PairKey, Side, Signal};
use crate::protocol::backing::{self, Engine, Event, Fault, System};
use crate::protocol::http1::Direction;
use crate::protocol::propagation::Correlation;

use super::driver::direction;
use super::open::{Open, Place, Sink};

/// A connection whose messages are malformed this often, and no call is answered in between, is no such
/// one.
const MAX_STRIKES: u32 = 4;
/// Calls of one connection that are told at the same time: what never answers takes no more of the room
/// that all connections share.
const MAX_OPEN: usize = 1024;
/// Findings of one operation for which room is kept.
const KEPT: usize = 256;

/// One exchange a call.
#[derive(Debug)]
pub(super) struct Backing {
    pub(super) side: Side,
    engine: Engine,
    events: Vec<Event>,
    system: System,
    pub(super) open: BTreeMap<u64, Call>,
    strikes: u32,
}

/// A call that is not over.
#[derive(Debug)]
pub(super) struct Call {
    open: Open,
    asked: bool,
}

impl Backing {
    /// One that begins.
    pub(super) fn new(side: Side, system: System, engine: Engine) -> Self {
        Self { side, engine, events: vec![], system, open: BTreeMap::new(), strikes: 0 }
    }

    /// Takes one operation. Whether it is such a connection still.
    pub(super) fn operation(
        &mut self,
        place: &Place<'_>,
        sent: bool,
        chunk: &Chunk<'_>,
        sink: &mut Sink<'_>,
    ) -> bool {
        let of = direction(self.side, sent);
        if of == Direction::Response
            && !sent
            && let Some(call) = self.open.values().next().filter(|call| !call.open.silent)
        {
            sink.signals.push(Signal::Read { id: call.open.exchange.id, at: chunk.at });
        }
        let mut events = std::mem::take(&mut self.events);
        self.engine.operation(of, chunk, &mut events);
        for event in events.drain(..) {
            self.event(place, event, sink);
        }
        events.shrink_to(KEPT);
        self.events = events;
        self.strikes < MAX_STRIKES
    }

    fn event(&mut self, place: &Place<'_>, event: Event, sink: &mut Sink<'_>) {
        match event {
            Event::Started { .. } if self.open.len() >= MAX_OPEN => {
                sink.faults.push(Fault::Full.into());
            }
            Event::Started { call, at, position } => {
                let side = self.side;
                // The key takes the position as TCP counts it.
                let position = position + if side == Side::Client { place.syn() } else { 0 };
                let key = PairKey::new(side, place.opener(), place.bases, position);
                let mut open = Open::begin(place, side, at, key, None, sink);
                // Whatever it asks for, it is no HTTP.
                open.exchange.call = Some(Box::new(backing::Call::new(self.system)));
                self.open.insert(call, Call { open, asked: false });
            }
            Event::Asked { call, asks } => {
                let Some(Call { open, asked }) = self.open.get_mut(&call) else { return };
                if let (true, Some(known)) = (*asked, &mut open.exchange.call) {
                    return known.join(*asks);
                }
                *asked = true;
                open.exchange.call = Some(asks);
                if !open.silent {
                    let (id, correlation) = (open.exchange.id, Correlation::default());
                    let head = Signal::Head { id, context: None, correlation, target: None };
                    sink.signals.push(head);
                }
            }
            Event::Replied { call, at } => {
                if let Some(call) = self.open.get_mut(&call) {
                    call.open.replied(at, sink);
                }
            }
            Event::Ended { call, at, outcome, abandoned } => {
                let Some(Call { mut open, .. }) = self.open.remove(&call) else { return };
                *sink.abandoned += u64::from(abandoned);
                if !abandoned && open.exchange.replied.is_some() {
                    self.strikes = 0;
                }
                open.exchange.response_body = outcome.bytes;
                open.exchange.outcome = Some(Box::new(outcome));
                open.end(at, abandoned.then_some(Incomplete::Lost), sink);
            }
            // The service's own side of it is its client's.
            Event::Delivered { .. } if self.side == Side::Server => {}
            Event::Delivered { position, first, last, asks } => {
                let key = PairKey::of_delivery(place.key(self.side), position);
                let mut open = Open::arrives(place, last, key, sink);
                open.exchange.started = first;
                open.exchange.call = Some(asks);
                open.end(last, None, sink);
            }
            Event::Malformed => {
                self.strikes += 1;
                sink.faults.push(Fault::Malformed.into());
            }
            Event::Full => sink.faults.push(Fault::Full.into()),
        }
    }

    /// How many bytes of the message under way are known to come to this side.
    pub(super) fn left(&self) -> u64 {
        self.engine.left(direction(self.side, false))
    }

    /// What is under way goes on with bytes that this side receives.
    pub(super) fn awaits_bytes(&self) -> bool {
        self.side == Side::Client && !self.open.is_empty()
    }

    /// No more bytes will come in one direction. `sent`: this side's own.
    pub(super) fn close(&mut self, sent: bool, at: Moment, sink: &mut Sink<'_>) {
        if direction(self.side, sent) == Direction::Response {
            self.finish(at, Incomplete::Closed, sink);
        }
    }

    /// Ends whatever is open.
    pub(super) fn finish(&mut self, at: Moment, why: Incomplete, sink: &mut Sink<'_>) {
        for call in std::mem::take(&mut self.open).into_values() {
            call.open.end(at, Some(why), sink);
        }
    }
}
