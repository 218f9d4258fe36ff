//! Receives that overtook the send that they answer.
//!
//! The probes fire when an operation completes. Where one thread writes requests and another reads
//! responses (Go, Java), a fast response can be read before the writer's system call has returned,
//! and so stand before its request in the ring buffer. A receive tells how much had been sent when
//! it completed; if that is more than was seen, it waits for the send.

use std::collections::VecDeque;

use tracer_common::record::Data;

use crate::connection::{Moment, Stream};

/// What waits on one connection at most; a send that was lost must not hold up more.
const MAX_HELD: usize = 64;
/// Bytes that wait at most, over all connections.
const MAX_BYTES: usize = 16 << 20;

/// A copy of a record that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) record: Data,
    pub(crate) head: Vec<u8>,
    pub(crate) tail: Vec<u8>,
    pub(crate) at: Moment,
}

/// The receives of one connection that wait, in order.
#[derive(Debug, Default)]
pub(crate) struct Reorder {
    held: VecDeque<Held>,
}

/// Bytes that wait, over all connections.
#[derive(Debug, Default)]
pub(crate) struct Waiting(usize);

impl Reorder {
    /// Whether a receive must wait. `skip`: bytes that the stream's base counts although nobody
    /// sent them (the SYN).
    pub(crate) fn overtakes(
        &self,
        record: &Data,
        sent: &Stream,
        midstream: bool,
        skip: u32,
    ) -> bool {
        if !self.held.is_empty() {
            return true;
        }
        let had_sent = record.write_seq.wrapping_sub(record.send_base);
        match sent.seen() {
            Some(seen) => had_sent.wrapping_sub(seen as u32) as i32 > 0,
            // What was sent before the tracer came is not waited for.
            None => !midstream && had_sent > skip,
        }
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether another receive of so many copied bytes may wait.
    pub(crate) fn has_room(&self, bytes: usize, waiting: &Waiting) -> bool {
        self.held.len() < MAX_HELD && waiting.0 + bytes <= MAX_BYTES
    }

    /// Lets a receive wait.
    pub(crate) fn hold(&mut self, held: Held, waiting: &mut Waiting) {
        waiting.0 += held.head.len() + held.tail.len();
        self.held.push_back(held);
    }

    /// The next receive that need not wait for a send that has begun at `until` (relative to the
    /// stream's base), or has got that far; `None` lets all of them go.
    pub(crate) fn release(&mut self, until: Option<u32>, waiting: &mut Waiting) -> Option<Held> {
        let first = self.held.front()?;
        let had_sent = first.record.write_seq.wrapping_sub(first.record.send_base);
        if until.is_some_and(|until| had_sent.wrapping_sub(until) as i32 > 0) {
            return None;
        }
        let held = self.held.pop_front()?;
        waiting.0 -= held.head.len() + held.tail.len();
        Some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, MAX_BYTES, MAX_HELD, Reorder, Waiting};
    use crate::connection::{Moment, Stream};
    use tracer_common::record::Data;
    use zerocopy::FromZeros as _;

    fn receive(had_sent: u32) -> Data {
        let mut record = Data::new_zeroed();
        record.send_base = 1000;
        record.write_seq = 1000 + had_sent;
        record
    }

    fn held(had_sent: u32) -> Held {
        Held { record: receive(had_sent), head: vec![], tail: vec![], at: Moment::default() }
    }

    #[test]
    fn a_receive_waits_for_what_had_been_sent() {
        let (reorder, mut sent) = (Reorder::default(), Stream::default());
        assert!(reorder.overtakes(&receive(51), &sent, false, 1));
        assert!(!reorder.overtakes(&receive(1), &sent, false, 1), "only the SYN");
        assert!(!reorder.overtakes(&receive(51), &sent, true, 0), "sent before the tracer came");
        sent.start(51, 50);
        assert!(!reorder.overtakes(&receive(51), &sent, false, 1));
        assert!(reorder.overtakes(&receive(52), &sent, false, 1));
    }

    #[test]
    fn what_waits_leaves_in_order_when_the_send_is_there() {
        let (mut reorder, mut waiting) = (Reorder::default(), Waiting::default());
        reorder.hold(held(50), &mut waiting);
        reorder.hold(held(100), &mut waiting);
        assert!(reorder.release(Some(49), &mut waiting).is_none());
        assert_eq!(reorder.release(Some(50), &mut waiting).unwrap().record.write_seq, 1050);
        assert!(reorder.release(Some(50), &mut waiting).is_none());
        assert!(reorder.release(None, &mut waiting).is_some());
        assert!(reorder.release(None, &mut waiting).is_none());
    }

    #[test]
    fn waiting_is_bounded() {
        let (mut reorder, mut waiting) = (Reorder::default(), Waiting::default());
        for _ in 0..MAX_HELD {
            assert!(reorder.has_room(0, &waiting));
            reorder.hold(held(50), &mut waiting);
        }
        assert!(!reorder.has_room(0, &waiting));
        let other = Reorder::default();
        assert!(other.has_room(MAX_BYTES, &waiting) && !other.has_room(MAX_BYTES + 1, &waiting));
    }
}
