//! Operations without what is private: secrets in header blocks are masked, the contents of DATA are
//! blanked but for the prefixes of gRPC's messages, each at the same length and so that an
//! [`super::Engine`] finds the same in what is left.

use std::collections::BTreeSet;

use super::mask::Mask;
use super::reader::Reader;
use super::streams::MAX_STREAMS;
use crate::connection::Chunk;
use crate::protocol::http1::{Direction, Limits};
use crate::protocol::redact::Pseudonym;

/// Follows one connection as an [`super::Engine`] does, operation by operation, and masks each.
///
/// Whether a part of a header block is secret may show only in the next operation: what is not whole is
/// withheld, and comes with the operation that completes it.
#[derive(Clone, Debug)]
pub struct Masking {
    requests: Mask,
    responses: Mask,
    /// Streams whose responses are not over.
    open: BTreeSet<u32>,
    /// The highest stream that has been opened.
    highest: u32,
}

/// An operation, masked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// Its first bytes; before them those that were withheld.
    pub head: Vec<u8>,
    /// Its last ones.
    pub tail: Vec<u8>,
    /// Bytes before the operation that were withheld until now.
    pub before: usize,
    /// Bytes of its end that are withheld.
    pub withheld: usize,
}

impl Masking {
    /// For a connection that begins with the client's preface, or one that is met in the middle. `ids`:
    /// how ids are told.
    #[must_use]
    pub fn new(limits: &Limits, ids: &Pseudonym, fresh: bool) -> Self {
        let mask = |preface| {
            let reader = if fresh { Reader::fresh(preface) } else { Reader::seeking() };
            Mask::new(reader, fresh, ids, limits.max_head)
        };
        let (requests, responses) = (mask(true), mask(false));
        Self { requests, responses, open: BTreeSet::new(), highest: 0 }
    }

    /// Takes an operation of which some bytes are known, as [`super::Engine::request`] and
    /// [`super::Engine::response`] do.
    pub fn operation(&mut self, direction: Direction, chunk: &Chunk<'_>) -> Masked {
        let mask = self.mask(direction);
        let (head, tail, before) = mask.operation(chunk);
        let withheld = mask.withheld();
        self.count(direction);
        Masked { head, tail, before, withheld }
    }

    /// As [`super::Engine::body_left`].
    #[must_use]
    pub fn body_left(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Request => self.requests.body_left(),
            Direction::Response => self.responses.body_left(),
        }
    }

    /// Bytes of a direction that are withheld.
    #[must_use]
    pub fn withheld(&self, direction: Direction) -> usize {
        match direction {
            Direction::Request => self.requests.withheld(),
            Direction::Response => self.responses.withheld(),
        }
    }

    /// No exchange is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Counts the streams that an operation has opened and ended.
    fn count(&mut self, direction: Direction) {
        let mask = self.mask(direction);
        let (begun, over) = (std::mem::take(&mut mask.begun), std::mem::take(&mut mask.over));
        let requests = direction == Direction::Request;
        for stream in begun.into_iter().filter(|_| requests) {
            // Others are trailers, or lost.
            if stream % 2 == 1 && stream > self.highest && self.open.len() < MAX_STREAMS {
                self.highest = stream;
                self.open.insert(stream);
            }
        }
        for (stream, reset) in over {
            if reset || !requests {
                self.open.remove(&stream);
            }
        }
    }

    fn mask(&mut self, direction: Direction) -> &mut Mask {
        match direction {
            Direction::Request => &mut self.requests,
            Direction::Response => &mut self.responses,
        }
    }
}
