//! A connection that goes on as WebSocket: the exchange that began it lasts as long.

use crate::connection::{Chunk, Moment};
use crate::exchange::{Incomplete, Side, Signal};
use crate::protocol::Fault;
use crate::protocol::websocket::Conversation;

use super::driver::direction;
use super::open::{Open, Sink};

/// One exchange.
#[derive(Debug)]
pub(super) struct WebSocket {
    pub(super) side: Side,
    pub(super) conversation: Conversation,
    /// `None` when it is over.
    pub(super) open: Option<Open>,
    /// Nothing more will be sent, or received.
    closed: [bool; 2],
}

impl WebSocket {
    /// Behind the 101 that answers this exchange.
    pub(super) fn new(side: Side, open: Open, conversation: Conversation) -> Self {
        Self { side, conversation, open: Some(open), closed: [false; 2] }
    }

    /// Takes one operation.
    pub(super) fn operation(&mut self, sent: bool, chunk: &Chunk<'_>, sink: &mut Sink<'_>) {
        let fault = self.conversation.operation(direction(self.side, sent), chunk);
        sink.faults.extend(fault.map(Fault::from));
        match &self.open {
            Some(open) if !sent && open.silent => {
                sink.signals.push(Signal::Refused { at: chunk.at })
            }
            Some(open) if !sent => {
                sink.signals.push(Signal::Read { id: open.exchange.id, at: chunk.at });
            }
            _ => {}
        }
        if self.conversation.is_over() {
            self.end(chunk.at, None, sink);
        }
    }

    /// As [`super::Lane::pass`].
    pub(super) fn pass(&mut self, until: u64) -> Option<u64> {
        self.conversation.pass(direction(self.side, false), until)
    }

    /// No more bytes will come in one direction. A side that has said that it closes may leave it at
    /// that, and so may the other one.
    pub(super) fn close(&mut self, sent: bool, at: Moment, sink: &mut Sink<'_>) {
        self.conversation.close(direction(self.side, sent));
        self.closed[usize::from(sent)] = true;
        if self.closed == [true; 2] {
            let said = self.conversation.tallies().iter().any(|it| it.closed);
            self.end(at, (!said).then_some(Incomplete::Closed), sink);
        }
    }

    /// Ends it.
    pub(super) fn end(&mut self, at: Moment, why: Option<Incomplete>, sink: &mut Sink<'_>) {
        if let Some(mut open) = self.open.take() {
            open.exchange.websocket = Some(Box::new(self.conversation.tallies()));
            open.end(at, why, sink);
        }
    }

    /// It goes on with bytes that this side receives.
    pub(super) fn awaits_bytes(&self) -> bool {
        self.open.is_some() && !self.closed[usize::from(false)]
    }
}
