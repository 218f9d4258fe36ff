//! One direction of a TCP connection, put together from segments (RFC 9293 section 3.4).
//!
//! Where segments overlap, the byte that came first counts: it may have been handed on already, and
//! receivers keep what they have. A stretch that is missing is waited for until the receiver has
//! acknowledged it (then the capture has lost it), or until too much has come after it.

use super::counts::{Count, Counts};
use super::waiting::{MAX_WAITING, Waiting};

/// How long they wait, in the capture's time.
const PATIENCE: u64 = 5_000_000_000;
/// The largest window: RFC 7323 section 2.3.
const WINDOW: u64 = 1 << 30;
/// Position of the first byte of a direction that is met in the middle: anything but the 0 of a
/// direction that is seen from its beginning.
const MIDDLE: u64 = 1;

/// Bytes of a direction.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// When the segment with them was seen.
    pub(super) time: u64,
    /// Bytes of this direction before them.
    pub(super) position: u64,
    /// How many they are.
    pub(super) len: u64,
    /// As many of them as were captured, from the first on.
    pub(super) bytes: Vec<u8>,
}

/// What a direction hands on, in its order.
#[derive(Debug)]
pub(super) enum Step {
    Piece(Piece),
    /// Nothing more comes.
    End {
        time: u64,
    },
}

/// A direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// Sequence number of the byte at position 0; `None` before the first segment.
    base: Option<u32>,
    /// It was seen from its first byte on.
    fresh: bool,
    /// Position up to which all is handed on.
    next: u64,
    /// Position up to which the receiver has acknowledged.
    acknowledged: u64,
    waiting: Waiting,
    /// Position and time of the end.
    fin: Option<(u64, u64)>,
    ended: bool,
}

impl Half {
    /// Its first byte comes with the sequence number behind this one, that of the SYN.
    pub(super) fn begin(&mut self, syn: u32) {
        if self.base.is_none() {
            (self.base, self.fresh) = (Some(syn.wrapping_add(1)), true);
        }
    }

    /// Sequence number of the SYN, if that is known.
    pub(super) fn syn(&self) -> Option<u32> {
        self.base.filter(|_| self.fresh).map(|base| base.wrapping_sub(1))
    }

    /// Sequence number of the byte at position 0.
    pub(super) fn base(&self) -> u32 {
        self.base.unwrap_or(0)
    }

    /// A segment of it was seen.
    pub(super) fn is_begun(&self) -> bool {
        self.base.is_some()
    }

    /// It was seen from its first byte on.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Nothing more comes.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Bytes that wait for a missing one, with what it takes to keep them.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.weight()
    }

    /// Takes the bytes of a segment.
    pub(super) fn segment(
        &mut self,
        sequence: u32,
        piece: Piece,
        fin: bool,
        steps: &mut Vec<Step>,
        counts: &mut Counts,
    ) {
        if self.base.is_none() {
            (self.base, self.next) = (Some(sequence.wrapping_sub(MIDDLE as u32)), MIDDLE);
        }
        let (time, len) = (piece.time, piece.len);
        // One that begins before the beginning can only be a repetition, such as a keep-alive.
        let Some(position) = self.position(sequence) else { return counts.add(Count::Repeated) };
        if position > self.next.saturating_add(WINDOW) {
            return counts.add(Count::OutOfWindow);
        }
        if fin && self.fin.is_none() {
            self.fin = Some((position + len, time));
        }
        if len > 0 {
            let kept = self.waiting.insert(&Piece { position, ..piece }, self.next);
            counts.add_many(Count::Repeated, (!kept).into());
        }
        self.hand_on(steps);
        let patient =
            self.waiting.oldest().is_none_or(|oldest| time.saturating_sub(oldest) <= PATIENCE);
        if self.waiting.is_full() || !patient {
            self.flush(steps, counts);
        } else {
            self.skip_acknowledged(steps, counts);
        }
    }

    /// The other side has acknowledged all before this sequence number.
    pub(super) fn acknowledge(&mut self, number: u32, steps: &mut Vec<Step>, counts: &mut Counts) {
        if self.base.is_none() {
            return;
        }
        match self.position(number) {
            Some(to) if to > self.acknowledged && to <= self.next.saturating_add(WINDOW) => {
                self.acknowledged = to;
                self.skip_acknowledged(steps, counts);
            }
            _ => {}
        }
    }

    /// The other side has answered: what it acknowledged and the capture lacks will not come, though
    /// nothing shows what follows. It is handed on as bytes of which none were captured, so that
    /// the message before the answer is known to go on.
    pub(super) fn answered(&mut self, time: u64, steps: &mut Vec<Step>, counts: &mut Counts) {
        let end = self.fin.map_or(self.acknowledged, |(end, _)| end.min(self.acknowledged));
        let len = end.saturating_sub(self.next);
        // More than that is rather an error than a loss: what follows will show.
        if self.ended || !self.waiting.is_empty() || len == 0 || len > MAX_WAITING as u64 {
            return;
        }
        let position = self.next;
        self.skip_to(end, counts);
        steps.push(Step::Piece(Piece { time, position, len, bytes: vec![] }));
        self.hand_on(steps);
    }

    /// Hands on whatever waits; what is missing will not come.
    pub(super) fn flush(&mut self, steps: &mut Vec<Step>, counts: &mut Counts) {
        while let Some(first) = self.waiting.first() {
            self.skip_to(first, counts);
            self.hand_on(steps);
        }
        if let Some((end, _)) = self.fin
            && !self.ended
        {
            self.skip_to(end, counts);
            self.hand_on(steps);
        }
    }

    /// The position of a sequence number, the one nearest to where this direction stands.
    fn position(&self, sequence: u32) -> Option<u64> {
        let relative = sequence.wrapping_sub(self.base());
        let ahead = relative.wrapping_sub(self.next as u32) as i32;
        self.next.checked_add_signed(ahead.into())
    }

    /// Hands on what is next.
    fn hand_on(&mut self, steps: &mut Vec<Step>) {
        while let Some(piece) = self.waiting.next(self.next) {
            self.next = piece.position + piece.len;
            if !self.ended {
                steps.push(Step::Piece(piece));
            }
        }
        if let Some((end, time)) = self.fin
            && end <= self.next
            && !std::mem::replace(&mut self.ended, true)
        {
            steps.push(Step::End { time });
        }
    }

    /// What the other side has got and the capture has not will not come.
    fn skip_acknowledged(&mut self, steps: &mut Vec<Step>, counts: &mut Counts) {
        while let Some(first) = self.waiting.first()
            && first <= self.acknowledged
        {
            self.skip_to(first, counts);
            self.hand_on(steps);
        }
        if let Some((end, _)) = self.fin
            && !self.ended
            && end < self.acknowledged
        {
            self.skip_to(end, counts);
            self.hand_on(steps);
        }
    }

    fn skip_to(&mut self, position: u64, counts: &mut Counts) {
        if position > self.next {
            counts.add(Count::Gap);
            self.next = position;
        }
    }
}
