//! A head while it comes in.

use super::engine::Limits;
use super::event::Fault;
use super::framing::Lengths;
use super::part::Part;
use super::reader::Head;
use super::window::Window;
use crate::connection::Moment;
use tracer_common::head::{Start, look_at};

/// What the bytes so far, with those of one more operation, are.
#[derive(Debug)]
pub(super) enum Outcome<H> {
    /// A part of a head; all known bytes that lie together are used up.
    More,
    /// Its beginning is to be told. Nothing is used up.
    Announce,
    /// A whole head; the window stands behind it.
    Complete(Box<H>, Lengths),
    /// No head, and it was only a guess that it may be one.
    Nothing,
    /// No head, or not one that can be read.
    Broken(Fault),
}

/// An incomplete head.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    bytes: Vec<u8>,
    line_checked: bool,
    /// The operation with its first byte.
    pub(super) first: Moment,
    /// That byte's position in the stream.
    pub(super) position: u64,
    /// Its beginning was told.
    pub(super) announced: bool,
    /// It began where a message had to begin.
    pub(super) synced: bool,
}

impl Opening {
    /// Begins with the next byte.
    pub(super) fn new(first: Moment, position: u64, synced: bool) -> Self {
        Opening {
            bytes: Vec::new(),
            line_checked: false,
            first,
            position,
            announced: false,
            synced,
        }
    }

    /// Began with these bytes, where a message had to begin.
    pub(super) fn with(bytes: Vec<u8>, first: Moment, position: u64) -> Self {
        Opening { bytes, ..Opening::new(first, position, true) }
    }

    /// The bytes so far are enough to tell of its beginning, which has to be done now.
    pub(super) fn announces<H: Head>(&mut self) -> bool {
        matches!(self.judge_start::<H>(&[]), Some(Outcome::Announce))
    }

    /// Reads on.
    pub(super) fn advance<H: Head>(
        &mut self,
        window: &mut Window<'_>,
        limits: &Limits,
    ) -> Outcome<H> {
        let fresh = self.position == window.position();
        window.mark(if fresh { Part::HeadStart } else { Part::Head });
        let known = window.known();
        if known.is_empty() {
            let fault = if window.is_missing() { Fault::Gap } else { Fault::HeadUnseen };
            return if window.is_empty() { Outcome::More } else { Outcome::Broken(fault) };
        }
        if let Some(outcome) = self.judge_start::<H>(known) {
            return outcome;
        }
        let before = self.bytes.len();
        let room = limits.max_head.saturating_sub(before);
        let fresh = known.get(..room).unwrap_or(known);
        // A head that lies within one operation is read where it is.
        let bytes = if before == 0 {
            fresh
        } else {
            self.bytes.extend_from_slice(fresh);
            &self.bytes
        };
        let Some(end) = end_of_head(bytes, before.saturating_sub(3)) else {
            if bytes.len() >= limits.max_head {
                self.keep(fresh, before);
                return Outcome::Broken(Fault::HeadTooLong);
            }
            if !self.line_checked && bytes.contains(&b'\n') {
                self.line_checked = true;
                if let Err(fault) = H::parse(bytes, limits) {
                    self.keep(fresh, before);
                    return Outcome::Broken(fault);
                }
            }
            if before == 0 {
                self.bytes = fresh.to_vec();
            }
            window.skip(fresh.len() as u64);
            return Outcome::More;
        };
        match bytes.get(..end).map_or(Ok(None), |bytes| H::parse(bytes, limits)) {
            Ok(Some((len, head, lengths))) => {
                if H::ANNOUNCED && !self.announced {
                    self.announced = true;
                    self.bytes.truncate(before);
                    return Outcome::Announce;
                }
                window.skip(len.saturating_sub(before) as u64);
                Outcome::Complete(Box::new(head), lengths)
            }
            Ok(None) => Outcome::Broken(H::MALFORMED),
            Err(fault) => {
                self.keep(fresh, before);
                Outcome::Broken(fault)
            }
        }
    }

    /// Keeps bytes that were read where they are.
    fn keep(&mut self, fresh: &[u8], before: usize) {
        if before == 0 {
            self.bytes = fresh.to_vec();
        }
    }

    /// What the whole lines of a head say whose end is not to be had, as many of them as are
    /// allowed. `cut`: of a first line without an end, as much of it as there is.
    pub(super) fn beginning<H: Head>(&self, limits: &Limits, cut: bool) -> Option<Box<H>> {
        let bytes = &self.bytes;
        let feeds =
            bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let mut short = match feeds.take(limits.max_headers.saturating_add(1)).last() {
            Some(end) => bytes.get(..end)?.to_vec(),
            None if cut => [bytes.trim_ascii_end(), b" HTTP/1.1\r\n"].concat(),
            None => return None,
        };
        short.extend_from_slice(b"\r\n");
        let (_, head, _) = H::parse(&short, limits).ok()??;
        Some(Box::new(head))
    }

    /// What the first bytes say, if that is all there is to say now.
    fn judge_start<H: Head>(&mut self, known: &[u8]) -> Option<Outcome<H>> {
        if self.announced || self.bytes.len() >= 8 {
            return None;
        }
        let first: Vec<u8> = self.bytes.iter().chain(known).take(8).copied().collect();
        let start = look_at(&first);
        let fits = H::is_start(start)
            || (start == Start::Partial && first.first().is_some_and(|b| H::may_begin_with(*b)));
        match (fits, self.synced) {
            (true, synced) if H::ANNOUNCED && (synced || start != Start::Partial) => {
                self.announced = true;
                Some(Outcome::Announce)
            }
            (true, _) => None,
            (false, false) => Some(Outcome::Nothing),
            // A method that is not known may still head a request: the whole line tells.
            (false, true)
                if H::ANNOUNCED && first.first().is_some_and(|b| H::may_begin_with(*b)) =>
            {
                None
            }
            (false, true) => Some(Outcome::Broken(H::MALFORMED)),
        }
    }
}

/// Where the empty line ends that ends a head, looking from `from` on. Lone line feeds count as
/// line ends (RFC 9112 section 2.2).
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let feeds = bytes.iter().enumerate().skip(from).filter(|(_, byte)| **byte == b'\n');
    feeds.map(|(at, _)| at + 1).find_map(|at| match bytes.get(at..) {
        Some([b'\n', ..]) => Some(at + 1),
        Some([b'\r', b'\n', ..]) => Some(at + 2),
        _ => None,
    })
}
