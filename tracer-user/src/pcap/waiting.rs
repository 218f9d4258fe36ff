//! Pieces of a direction that wait for a missing one.

use std::collections::BTreeMap;

use super::half::Piece;

/// Bytes (with what it takes to keep them) and pieces that wait in one direction at most.
pub(super) const MAX_WAITING: usize = 4 << 20;
const MAX_PIECES: usize = 1024;

/// Pieces by position; no two overlap.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pieces: BTreeMap<u64, Piece>,
    weight: usize,
}

impl Waiting {
    /// Keeps what of a piece is new, from position `from` on; whether anything is.
    pub(super) fn insert(&mut self, piece: &Piece, from: u64) -> bool {
        let end = piece.position + piece.len;
        let mut from = piece.position.max(from);
        let mut fresh = vec![];
        for (&start, other) in self.pieces.range(..end) {
            if from < start {
                fresh.push((from, start));
            }
            from = from.max(start + other.len);
        }
        if from < end {
            fresh.push((from, end));
        }
        for &(from, to) in &fresh {
            let part = part(piece, from, to);
            self.weight += weight(&part);
            self.pieces.insert(from, part);
        }
        !fresh.is_empty()
    }

    /// Removes the first piece, if it begins at this position or before.
    pub(super) fn next(&mut self, position: u64) -> Option<Piece> {
        let first = self.pieces.first_entry().filter(|piece| *piece.key() <= position)?;
        let piece = first.remove();
        self.weight -= weight(&piece);
        Some(piece)
    }

    /// Position of the first piece.
    pub(super) fn first(&self) -> Option<u64> {
        self.pieces.keys().next().copied()
    }

    /// When the one that waits longest was seen.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.pieces.values().map(|piece| piece.time).min()
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Too much waits.
    pub(super) fn is_full(&self) -> bool {
        self.pieces.len() > MAX_PIECES || self.weight > MAX_WAITING
    }

    /// Bytes that wait, with what it takes to keep them.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }
}

/// What a piece takes in memory, about.
fn weight(piece: &Piece) -> usize {
    piece.bytes.len() + 2 * size_of::<Piece>()
}

/// The bytes of a piece from one position to another.
fn part(piece: &Piece, from: u64, to: u64) -> Piece {
    let offset = |position: u64| {
        let bytes = usize::try_from(position - piece.position).unwrap_or(usize::MAX);
        bytes.min(piece.bytes.len())
    };
    let bytes = piece.bytes.get(offset(from)..offset(to)).unwrap_or_default().to_vec();
    Piece { time: piece.time, position: from, len: to - from, bytes }
}
