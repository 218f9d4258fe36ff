//! The end of a chunked body some of whose bytes were not copied, so that its chunks can no longer
//! be followed: it is looked for in the last bytes of each operation.
//!
//! The rule: an operation that ends in `CRLF 0 CRLF CRLF`, or in `CRLF 0 CRLF`, trailer fields and
//! an empty line, ends the body; so does the former anywhere in copied bytes if a plausible head
//! follows at once.
//!
//! What it can mistake: chunk data that has these very bytes where an operation happens to end (a
//! chunked message inside a chunked body). The next operation then goes on with something that is
//! no head, [`super::Fault::ChunkedEndMistaken`] is counted, and the body is read on. Data that
//! looks like an end and is followed by the true end in operations that are lost stays mistaken.
//!
//! What it can miss: an end in the middle of an operation whose bytes there were not copied, or
//! trailers longer than what was copied. The other direction shows that
//! ([`super::Fault::ChunkedEndMissed`]), or the connection's end.

use super::part::Part;
use super::window::Window;

/// Bytes of adjoining operations that are remembered: room for a few trailer fields.
const MEMORY: usize = 512;
/// The last chunk with the end of the chunk data before it.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n";
const LAST_CHUNK_AND_END: &[u8] = b"\r\n0\r\n\r\n";

/// What an operation showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// No end.
    None,
    /// An end at the operation's end.
    Likely,
    /// An end with a plausible head behind it, at which the window now stands.
    Sure,
}

/// The last bytes seen that adjoin the next operation.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    run: Vec<u8>,
}

impl Tail {
    /// Looks through the rest of an operation; `head` tells a message's beginning.
    pub(super) fn look(&mut self, window: &mut Window<'_>, head: impl Fn(&[u8]) -> bool) -> Sight {
        window.mark(Part::Tail);
        while !window.known().is_empty() {
            let before = self.run.len();
            self.run.extend_from_slice(window.known());
            if let Some(end) = followed_end(&self.run, &head) {
                window.skip(end.saturating_sub(before) as u64);
                self.run = Vec::new();
                return Sight::Sure;
            }
            window.skip(window.known().len() as u64);
        }
        if !window.is_empty() {
            self.run.clear();
            self.run.extend_from_slice(window.last());
            window.finish();
        }
        let excess = self.run.len().saturating_sub(MEMORY);
        self.run.drain(..excess);
        self.run.shrink_to(MEMORY);
        if self.ends() { Sight::Likely } else { Sight::None }
    }

    /// The remembered bytes are the end of a body, or nothing is known of them: asked when the
    /// stream is over.
    pub(super) fn may_have_ended(&self) -> bool {
        self.run.is_empty() || self.run.ends_with(b"\r\n\r\n")
    }

    fn ends(&self) -> bool {
        if !self.run.ends_with(b"\r\n\r\n") {
            return false;
        }
        // An operation of its own for the last chunk is common; what came before may be unknown.
        let trailers = match find_last(&self.run, LAST_CHUNK) {
            Some(at) => self.run.get(at + LAST_CHUNK.len()..),
            None => self.run.strip_prefix(b"0\r\n"),
        };
        trailers.is_some_and(are_trailers)
    }
}

/// Where in `run` a body ends with a head right behind it.
fn followed_end(run: &[u8], head: &impl Fn(&[u8]) -> bool) -> Option<usize> {
    let ends = run.windows(LAST_CHUNK_AND_END.len()).enumerate();
    ends.filter(|(_, bytes)| *bytes == LAST_CHUNK_AND_END)
        .map(|(at, bytes)| at + bytes.len())
        .find(|end| run.get(*end..).is_some_and(head))
}

fn find_last(run: &[u8], pattern: &[u8]) -> Option<usize> {
    run.windows(pattern.len()).rposition(|bytes| bytes == pattern)
}

/// `*( field-line CRLF ) CRLF`, the names being tokens.
fn are_trailers(mut bytes: &[u8]) -> bool {
    while let Some(end) = bytes.windows(2).position(|b| b == b"\r\n") {
        let (line, rest) = bytes.split_at(end);
        bytes = rest.get(2..).unwrap_or_default();
        if line.is_empty() {
            return bytes.is_empty();
        }
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        if name.is_empty() || name.len() == line.len() || !name.iter().all(token) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Sight, Tail, Window};
    use crate::connection::{Chunk, Moment};

    fn look(tail: &mut Tail, len: u64, head: &[u8], last: &[u8]) -> (Sight, u64) {
        let at = Moment::default();
        let mut window = Window::new(&Chunk { at, position: 0, len, head, tail: last });
        let sight = tail.look(&mut window, |bytes| bytes.starts_with(b"HTTP/1."));
        (sight, window.len())
    }

    #[test]
    fn an_end_is_seen_in_the_last_bytes() {
        let mut tail = Tail::default();
        assert_eq!(look(&mut tail, 5000, b"abc", b"xyz").0, Sight::None);
        assert_eq!(look(&mut tail, 5000, b"abc", b"xyz\r\n0\r\n\r\n").0, Sight::Likely);
    }

    #[test]
    fn an_end_may_be_spread_over_operations() {
        let mut tail = Tail::default();
        assert_eq!(look(&mut tail, 5000, b"abc", b"xyz\r\n").0, Sight::None);
        assert_eq!(look(&mut tail, 5, b"0\r\n\r\n", b"").0, Sight::Likely);
        let mut tail = Tail::default();
        assert_eq!(look(&mut tail, 5000, b"abc", b"xyz1").0, Sight::None);
        assert_eq!(look(&mut tail, 5, b"0\r\n\r\n", b"").0, Sight::None);
    }

    #[test]
    fn trailers_end_it_too() {
        let mut tail = Tail::default();
        assert_eq!(look(&mut tail, 13, b"\r\n0\r\nA: b\r\n\r\n", b"").0, Sight::Likely);
        let mut tail = Tail::default();
        assert_eq!(look(&mut tail, 13, b"\r\n0\r\nno b\r\n\r\n", b"").0, Sight::None);
        let mut tail = Tail::default();
        assert_eq!(look(&mut tail, 13, b"\r\n5\r\nA: b\r\n\r\n", b"").0, Sight::None);
    }

    #[test]
    fn a_head_right_behind_makes_an_end_sure() {
        let mut tail = Tail::default();
        let bytes = b"abc\r\n0\r\n\r\nHTTP/1.1 200 OK";
        assert_eq!(look(&mut tail, bytes.len() as u64, bytes, b""), (Sight::Sure, 15));
        let bytes = b"abc\r\n0\r\n\r\nno head";
        assert_eq!(look(&mut tail, bytes.len() as u64, bytes, b""), (Sight::None, 0));
    }
}
