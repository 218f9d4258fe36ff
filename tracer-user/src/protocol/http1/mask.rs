//! Masks one direction's operations by what their bytes are to the engine.

use tracer_common::head::look_at;

use super::part::{Part, Parts};
use super::proxy;
use super::tail_mask::TailMask;
use crate::protocol::redact::{HeadMask, Pseudonym};

/// What blanked bytes become: a letter, so it ends no line, and none that begins a message.
pub(super) const BLANK: u8 = b'x';
/// What those become that had to be a head and are none: no head has it.
const BROKEN: u8 = 0;

/// The state of one direction.
#[derive(Clone, Debug)]
pub(super) struct Mask {
    ids: Pseudonym,
    head: HeadMask,
    tail: TailMask,
    /// The first bytes of a PROXY protocol prefix, as they were.
    prefix: Vec<u8>,
    last: Option<Part>,
}

impl Mask {
    /// Of a direction of which nothing is known. `ids`: how ids are told.
    pub(super) fn new(ids: Pseudonym) -> Self {
        Self {
            head: HeadMask::new(&ids),
            ids,
            tail: TailMask::default(),
            prefix: vec![],
            last: None,
        }
    }

    /// Masks the known bytes of an operation of `len` bytes: `head` from its beginning, `tail` from
    /// its end.
    pub(super) fn operation(
        &mut self,
        parts: &Parts,
        len: u64,
        mut head: &mut [u8],
        mut tail: &mut [u8],
    ) {
        let known = (head.len() + tail.len()) as u64;
        let mut hidden = len.saturating_sub(known);
        for (number, &(part, length)) in parts.iter().enumerate() {
            // All of it is here, so all of it can be blanked.
            let next = parts.get(number + 1).map(|(next, _)| *next);
            let part = match part {
                Part::HeadStart if next == Some(Part::Malformed) => Part::Refused,
                Part::Head if next == Some(Part::Malformed) => Part::Malformed,
                part => part,
            };
            let (first, left) = take(&mut head, length);
            let begun = !first.is_empty();
            self.part(part, first);
            let unseen = left.min(hidden);
            if unseen > 0 {
                hidden -= unseen;
                self.tail.hide();
            }
            let (second, _) = take(&mut tail, left - unseen);
            let rest = if part == Part::HeadStart && begun { Part::Head } else { part };
            self.part(rest, second);
        }
        blank(head);
        blank(tail);
    }

    fn part(&mut self, part: Part, bytes: &mut [u8]) {
        if bytes.is_empty() {
            return;
        }
        let last = self.last.replace(part);
        match part {
            Part::Content => blank(bytes),
            Part::HeadStart | Part::Head => {
                let goes_on = matches!(last, Some(Part::HeadStart | Part::Head));
                if part == Part::HeadStart {
                    self.head = HeadMask::new(&self.ids);
                } else if !goes_on {
                    self.head = HeadMask::after(self.refused_prefix(last), &self.ids);
                }
                self.head.feed(bytes);
            }
            Part::Refused => malformed(&[], bytes),
            Part::Malformed => {
                let goes_on = matches!(last, Some(Part::HeadStart | Part::Head));
                let start = if goes_on { self.head.start() } else { self.refused_prefix(last) };
                malformed(start, bytes);
            }
            Part::Framing => keep(bytes, |b| b.is_ascii_hexdigit() || b"; \t\r\n".contains(&b)),
            Part::Extension => keep(bytes, |b| b"\r\n".contains(&b)),
            Part::Trailer => {
                if last != Some(Part::Trailer) {
                    self.head = HeadMask::fields(&self.ids);
                }
                self.head.feed(bytes);
            }
            Part::Tail => {
                if last != Some(Part::Tail) {
                    self.tail.hide();
                }
                self.tail.feed(bytes);
            }
            Part::Prefix => {
                for byte in bytes {
                    if !proxy::shows(&mut self.prefix, *byte) {
                        *byte = BLANK;
                    }
                }
            }
        }
    }

    /// The first bytes of a head that were taken for a prefix.
    fn refused_prefix(&self, last: Option<Part>) -> &[u8] {
        if last != Some(Part::Prefix) || proxy::is_prefix(&self.prefix) {
            return &[];
        }
        let blank = self.prefix.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        self.prefix.get(blank..).unwrap_or_default()
    }
}

/// Cuts off the first `length` bytes, or all; how many are missing.
fn take<'b>(bytes: &mut &'b mut [u8], length: u64) -> (&'b mut [u8], u64) {
    let taken = usize::try_from(length).map_or(bytes.len(), |length| length.min(bytes.len()));
    let (first, rest) = std::mem::take(bytes).split_at_mut(taken);
    *bytes = rest;
    (first, length - taken as u64)
}

fn blank(bytes: &mut [u8]) {
    bytes.fill(BLANK);
}

fn keep(bytes: &mut [u8], shown: impl Fn(u8) -> bool) {
    bytes.iter_mut().filter(|byte| !shown(**byte)).for_each(|byte| *byte = BLANK);
}

/// Of bytes that follow `start` and turned out not to be, or end, a head: only what made them taken
/// for one stays, and line ends, at which it shows that it is none.
fn malformed(start: &[u8], bytes: &mut [u8]) {
    let first: Vec<u8> = start.iter().chain(&*bytes).take(8).copied().collect();
    let judged = look_at(&first);
    let shown = (0..=first.len()).find(|shown| {
        let shown = first.get(..*shown).unwrap_or_default();
        let mut as_masked = shown.to_vec();
        as_masked.resize(first.len(), BROKEN);
        look_at(&as_masked) == judged
    });
    let shown = shown.unwrap_or(first.len()).saturating_sub(start.len());
    let rest = bytes.iter_mut().skip(shown).filter(|byte| !b"\r\n".contains(byte));
    rest.for_each(|byte| *byte = BROKEN);
}
