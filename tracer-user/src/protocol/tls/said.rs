//! What one side has said so far, in pieces of any size.

use std::ops::Range;

use tracer_common::tls::{MAX_HELLO, RECORD_HEADER};

use super::Hello;

/// The record with which one side begins, as far as it has come. What follows it is not read: from
/// there on, bytes are encrypted.
#[derive(Clone, Debug, Default)]
pub struct Said {
    bytes: Vec<u8>,
    over: bool,
}

impl Said {
    /// The next piece. What it says, once it is whole or as long as it may be: the bytes are
    /// forgotten then, and nothing more is read.
    pub fn push(&mut self, piece: &[u8]) -> Option<Hello> {
        self.add(piece);
        if !self.is_whole() {
            return None;
        }
        let hello = self.so_far();
        self.end();
        hello
    }

    /// What it says as far as it has come.
    #[must_use]
    pub fn so_far(&self) -> Option<Hello> {
        Hello::read(&self.bytes, &mut vec![])
    }

    /// Forgets what has come, and reads nothing more.
    pub fn end(&mut self) {
        *self = Self { bytes: vec![], over: true };
    }

    fn add(&mut self, piece: &[u8]) {
        if !self.over {
            let room = (MAX_HELLO as usize).saturating_sub(self.bytes.len());
            self.bytes.extend(piece.iter().take(room));
        }
    }

    fn is_whole(&self) -> bool {
        let header = RECORD_HEADER as usize;
        let length = match self.bytes.get(..header) {
            Some(&[_, _, _, high, low]) => usize::from(u16::from_be_bytes([high, low])),
            _ => return false,
        };
        self.bytes.len() >= (header + length).min(MAX_HELLO as usize)
    }
}

/// Blanks what nobody reads: randoms, tickets, keys, and all that the tracer does not know.
#[derive(Clone, Debug, Default)]
pub struct Masking(Said);

/// What blanked bytes become.
const BLANK: u8 = b'x';

impl Masking {
    /// The next piece, masked. The same is read of it as of the original.
    pub fn piece(&mut self, piece: &[u8]) -> Vec<u8> {
        let Self(said) = self;
        let mut masked = vec![BLANK; piece.len()];
        let before = said.bytes.len();
        said.add(piece);
        let mut kept = vec![];
        // What it says does not matter here.
        let _ = Hello::read(&said.bytes, &mut kept);
        for place in kept.into_iter().flatten().filter_map(|place| place.checked_sub(before)) {
            if let (Some(to), Some(from)) = (masked.get_mut(place), piece.get(place)) {
                *to = *from;
            }
        }
        if said.is_whole() {
            said.end();
        }
        masked
    }
}

/// A piece of a record in which lengths come before what they measure; its end may be missing.
pub(super) struct Bytes<'a, 'k> {
    record: &'a [u8],
    at: usize,
    end: usize,
    kept: &'k mut Vec<Range<usize>>,
}

impl<'a, 'k> Bytes<'a, 'k> {
    /// All of a record.
    pub(super) fn new(record: &'a [u8], kept: &'k mut Vec<Range<usize>>) -> Self {
        Self { record, at: 0, end: usize::MAX, kept }
    }

    /// A big-endian number of so many bytes.
    pub(super) fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    /// What follows a length of so many bytes.
    pub(super) fn part(&mut self, width: usize) -> Option<Bytes<'a, '_>> {
        let length = self.number(width)?;
        let at = self.at;
        self.skip(length)?;
        Some(Bytes { record: self.record, at, end: self.at, kept: self.kept })
    }

    /// Passes over so many bytes, there or not.
    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        let to = self.at.checked_add(count).filter(|to| *to <= self.end)?;
        self.at = to;
        Some(())
    }

    /// Passes over the rest.
    pub(super) fn skip_all(&mut self) {
        self.at = self.end;
    }

    /// All of the rest, if it is there.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.take(self.end - self.at)?).ok()
    }

    /// Nothing is left.
    pub(super) fn is_over(&self) -> bool {
        self.at >= self.end
    }

    /// All of it is there.
    pub(super) fn is_whole(&self) -> bool {
        self.end <= self.record.len()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let from = self.at;
        self.skip(count)?;
        // As far as it is there, it is kept: what comes later depends on it.
        self.kept.push(from.min(self.record.len())..self.at.min(self.record.len()));
        self.record.get(from..self.at)
    }
}
