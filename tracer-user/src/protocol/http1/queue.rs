//! The requests that wait for their responses, in order.

use std::collections::VecDeque;

use super::event::Fault;

/// A request whose response has not ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pending {
    /// HEAD: its response has no body.
    pub(super) head: bool,
    /// CONNECT: a 2xx ends HTTP.
    pub(super) connect: bool,
    /// It asks for WebSocket: a 101 begins it.
    pub(super) websocket: bool,
    /// Its response could not be told from others: it is given up when its turn comes.
    pub(super) doomed: bool,
    /// Bytes were lost where its response may begin; what follows is taken for it.
    pub(super) fault: Option<Fault>,
}

/// First in, first out.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    pending: VecDeque<Pending>,
    /// Two requests were open at once at some time.
    pub(super) pipelined: bool,
}

impl Queue {
    /// Adds a request.
    pub(super) fn push(&mut self, pending: Pending) {
        self.pipelined |= !self.pending.is_empty();
        self.pending.push_back(pending);
    }

    /// The oldest.
    pub(super) fn front(&mut self) -> Option<&mut Pending> {
        self.pending.front_mut()
    }

    /// The newest.
    pub(super) fn back(&mut self) -> Option<&mut Pending> {
        self.pending.back_mut()
    }

    /// Removes the oldest.
    pub(super) fn pop(&mut self) -> Option<Pending> {
        self.pending.pop_front()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// There is none.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
