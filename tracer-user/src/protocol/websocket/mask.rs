//! Shows of what messages are made of, and nothing that they carry: frames' headers, and the code of a
//! Close.

use super::conversation::Conversation;
use super::reader::{Lost, Part};
use crate::connection::Chunk;
use crate::protocol::http1::Direction;

/// Bytes of a Close's code.
const CODE: u64 = 2;

/// Follows a connection as a [`Conversation`] does.
#[derive(Clone, Debug)]
pub(in crate::protocol) struct Mask(pub(in crate::protocol) Conversation);

impl Mask {
    /// Takes an operation. `head` and `tail` are as long as its own, and blank behind what was read
    /// before; what may be shown is put there.
    pub(in crate::protocol) fn operation(
        &mut self,
        direction: Direction,
        chunk: &Chunk<'_>,
        head: &mut [u8],
        tail: &mut [u8],
    ) {
        let reader = self.0.reader(direction);
        let next = reader.next();
        let mut window = reader.admit(chunk);
        let known = (chunk.head.len() + chunk.tail.len()) as u64;
        let mut bytes = Bytes {
            missing: chunk.position.saturating_sub(next),
            head: (chunk.head, head),
            hidden: chunk.len.saturating_sub(known),
            tail: (chunk.tail, tail),
        };
        bytes.skip(next.saturating_sub(chunk.position));
        while let Some(step) = reader.step(&mut window) {
            match step {
                Ok(Part::Header(count)) | Err(Lost::Malformed(Part::Header(count))) => {
                    bytes.show(count);
                }
                Ok(Part::Close { come, bytes: count }) => {
                    let code = CODE.saturating_sub(come).min(count);
                    bytes.show(code);
                    bytes.skip(count - code);
                }
                Ok(Part::Content(count)) => bytes.skip(count),
                Ok(Part::Unknown) | Err(_) => bytes.skip(u64::MAX),
            }
        }
    }
}

/// What is left of an operation: bytes that are missing before it, then its own, each with its place.
struct Bytes<'b> {
    missing: u64,
    head: Known<'b>,
    hidden: u64,
    tail: Known<'b>,
}

type Known<'b> = (&'b [u8], &'b mut [u8]);

impl Bytes<'_> {
    fn show(&mut self, count: u64) {
        self.take(count, |from, to| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        });
    }

    fn skip(&mut self, count: u64) {
        self.take(count, |_, _| {});
    }

    fn take(&mut self, count: u64, each: impl Fn(&[u8], &mut [u8])) {
        let left = count.saturating_sub(self.missing);
        self.missing = self.missing.saturating_sub(count);
        let left = cut(&mut self.head, left, &each);
        let unseen = left.min(self.hidden);
        self.hidden -= unseen;
        cut(&mut self.tail, left - unseen, &each);
    }
}

/// Takes the first bytes; how many there were not.
fn cut(known: &mut Known<'_>, count: u64, each: impl Fn(&[u8], &mut [u8])) -> u64 {
    let (from, to) = (known.0, std::mem::take(&mut known.1));
    let length = from.len().min(to.len());
    let taken = usize::try_from(count).map_or(length, |count| count.min(length));
    let ((first, rest), (place, places)) = (from.split_at(taken), to.split_at_mut(taken));
    each(first, place);
    *known = (rest, places);
    count - taken as u64
}
