//! A cursor over one operation's bytes, of which a middle part may be unknown.

use super::part::{self, Part, Parts};
use crate::connection::Chunk;

/// What is left of an operation: known bytes, then hidden ones, then known ones again.
#[derive(Debug)]
pub(super) struct Window<'a> {
    position: u64,
    front: &'a [u8],
    hidden: u64,
    back: &'a [u8],
    at_start: bool,
    missing: bool,
    part: Part,
    parts: Option<Parts>,
}

impl<'a> Window<'a> {
    /// The whole of an operation. Known bytes beyond its length are ignored.
    pub(super) fn new(chunk: &Chunk<'a>) -> Self {
        let front = prefix(chunk.head, chunk.len);
        let room = chunk.len - front.len() as u64;
        let cut = (chunk.tail.len() as u64).saturating_sub(room) as usize;
        let back = chunk.tail.get(cut..).unwrap_or_default();
        Window {
            position: chunk.position,
            front,
            hidden: room - back.len() as u64,
            back,
            at_start: true,
            missing: false,
            part: Part::Content,
            parts: None,
        }
    }

    /// From now on what bytes are is noted.
    pub(super) fn note(&mut self) {
        self.parts = Some(vec![]);
    }

    /// What was noted.
    pub(super) fn into_parts(self) -> Option<Parts> {
        self.parts
    }

    /// What began like a head, or had to begin here, is none.
    pub(super) fn mark_malformed(&mut self) {
        self.part = match self.part {
            Part::HeadStart => Part::Refused,
            _ => Part::Malformed,
        };
    }

    /// Says what the bytes are that are passed over next.
    pub(super) fn mark(&mut self, part: Part) {
        self.part = part;
    }

    /// Bytes of which nothing is known, not even in which operations they moved.
    pub(super) fn missing(position: u64, len: u64) -> Self {
        Window {
            position,
            front: &[],
            hidden: len,
            back: &[],
            at_start: false,
            missing: true,
            part: Part::Content,
            parts: None,
        }
    }

    /// Position in the stream of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes left.
    pub(super) fn len(&self) -> u64 {
        self.hidden.saturating_add((self.front.len() + self.back.len()) as u64)
    }

    /// Nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next byte is the operation's first.
    pub(super) fn at_start(&self) -> bool {
        self.at_start
    }

    /// The operations themselves were not seen.
    pub(super) fn is_missing(&self) -> bool {
        self.missing
    }

    /// The next bytes, as far as they are known and lie together; empty at the end and before
    /// hidden bytes.
    pub(super) fn known(&self) -> &'a [u8] {
        match (self.front, self.hidden) {
            ([], 0) => self.back,
            (front, _) => front,
        }
    }

    /// The last bytes, as far as they are known and lie together.
    pub(super) fn last(&self) -> &'a [u8] {
        if self.back.is_empty() && self.hidden == 0 { self.front } else { self.back }
    }

    /// Passes over `n` bytes, or all that are left.
    pub(super) fn skip(&mut self, n: u64) {
        let n = n.min(self.len());
        if n == 0 {
            return;
        }
        if let Some(parts) = &mut self.parts {
            part::push(parts, self.part, n);
        }
        self.at_start = false;
        self.position = self.position.saturating_add(n);
        let (front, n) = after(self.front, n);
        let hidden = n.min(self.hidden);
        let (back, _) = after(self.back, n - hidden);
        (self.front, self.hidden, self.back) = (front, self.hidden - hidden, back);
    }

    /// Passes over one byte, if it is known.
    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = *self.known().first()?;
        self.skip(1);
        Some(byte)
    }

    /// Passes over all that is left.
    pub(super) fn finish(&mut self) {
        self.skip(u64::MAX);
    }
}

/// The first `n` bytes, or all.
fn prefix(bytes: &[u8], n: u64) -> &[u8] {
    usize::try_from(n).ok().and_then(|n| bytes.get(..n)).unwrap_or(bytes)
}

/// What follows the first `n` bytes, and how much of `n` is beyond them.
fn after(bytes: &[u8], n: u64) -> (&[u8], u64) {
    match usize::try_from(n).ok().and_then(|n| bytes.get(n..)) {
        Some(rest) => (rest, 0),
        None => (&[], n - bytes.len() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::connection::{Chunk, Moment};

    fn chunk<'a>(len: u64, head: &'a [u8], tail: &'a [u8]) -> Chunk<'a> {
        Chunk { at: Moment::default(), position: 10, len, head, tail }
    }

    #[test]
    fn the_middle_is_unknown() {
        let mut window = Window::new(&chunk(10, b"abc", b"xyz"));
        assert_eq!((window.len(), window.known(), window.last()), (10, &b"abc"[..], &b"xyz"[..]));
        assert_eq!(window.next(), Some(b'a'));
        window.skip(2);
        assert_eq!((window.next(), window.known()), (None, &b""[..]));
        assert!(!window.is_empty() && !window.at_start());
        window.skip(5);
        assert_eq!((window.known(), window.position()), (&b"yz"[..], 18));
        window.skip(100);
        assert!(window.is_empty());
        assert_eq!(window.position(), 20);
    }

    #[test]
    fn more_bytes_than_the_length_are_ignored() {
        let window = Window::new(&chunk(4, b"abc", b"wxyz"));
        assert_eq!((window.len(), window.last()), (4, &b"z"[..]));
        let window = Window::new(&chunk(2, b"abc", b"xyz"));
        assert_eq!((window.len(), window.known(), window.last()), (2, &b"ab"[..], &b"ab"[..]));
    }

    #[test]
    fn adjoining_parts_are_read_one_after_the_other() {
        let mut window = Window::new(&chunk(4, b"ab", b"yz"));
        let read: Vec<u8> = std::iter::from_fn(|| window.next()).collect();
        assert_eq!(read, b"abyz");
    }
}
