//! Where the frames of an HTTP/2 connection begin and end, as the kernel side follows them, so as to
//! tell heads, header blocks and the prefixes of gRPC's messages, and to count the rest of what DATA
//! carries.
//!
//! What it takes for a prefix is a guess, which costs some bytes too many or too few; user space knows
//! which streams are gRPC, follows each message itself, and says where it could not.

use crate::frame::{
    CONTINUATION, DATA, Frame, GOAWAY, HEADER, HEADERS, PADDED, PREFACE, PUSH_PROMISE, RST_STREAM,
};

/// Bytes of a gRPC message's prefix: a flag and four bytes of length.
const PREFIX: u32 = 5;
/// No message is taken to be longer than this, bytes.
const MAX_MESSAGE: u32 = 1 << 28;
/// Messages of one operation that are followed: of zeros, every five bytes are one.
const MAX_MESSAGES: u32 = 512;
/// [`Slot::message`]: what the stream carries are no messages, or nobody knows where one begins.
const NO_MESSAGES: u32 = u32::MAX;
/// Bytes of a RST_STREAM or a GOAWAY that are wanted.
const CONTROL: u32 = 8;
/// Streams of which it is remembered how far their messages are.
const SLOTS: usize = 4;

/// One direction of a connection. Zeros are one of which nothing is known.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Frames {
    /// Where the next operation has to begin, modulo 2^32.
    next: u32,
    /// 1 if it is known what comes next.
    followed: u32,
    /// Bytes of the payload under way that are still to come.
    left: u32,
    /// Of them, the next ones that nobody wants.
    quiet: u32,
    /// Of them, those that are wanted behind these.
    keep: u32,
    /// Bytes of the next frame's header that have come.
    filled: u32,
    /// These, as a little-endian number.
    header: u64,
    /// 1 if the payload under way is DATA whose messages are followed.
    following: u32,
    /// The stream of the latest DATA.
    stream: u32,
    /// Bytes of its message that are still to come, or [`NO_MESSAGES`].
    message: u32,
    /// Bytes of the next prefix that have come.
    prefixed: u32,
    /// What these say of the length.
    size: u32,
    /// Messages of this operation so far.
    messages: u32,
    slots: [Slot; SLOTS],
}

/// Where an operation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind the one before, or nothing is known of that.
    Next,
    /// One number further on: the end of the stream has been read with it, which TCP counts.
    PastEnd,
    /// Elsewhere: bytes moved that were not seen here, and what comes next is not known any more.
    Elsewhere,
}

/// A stream whose messages are followed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    stream: u32,
    message: u32,
}

impl Frames {
    /// An operation begins at `start`, which is `len` bytes long. `ends`: it may have read the end of the
    /// stream as well.
    #[inline(always)]
    pub fn operation(&mut self, start: u32, len: u32, ends: bool) -> Place {
        let missed = start.wrapping_sub(self.next);
        self.next = start.wrapping_add(len);
        self.messages = 0;
        if self.followed == 0 || missed == 0 {
            return Place::Next;
        }
        if ends && missed == 1 {
            return Place::PastEnd;
        }
        if missed <= self.quiet {
            // Nobody wants them (sendfile, splice).
            self.pass(missed);
            return Place::Next;
        }
        self.lose();
        Place::Elsewhere
    }

    /// It is known what comes next.
    #[inline(always)]
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.followed != 0
    }

    /// Nothing is known any more.
    #[inline(always)]
    pub fn lose(&mut self) {
        // Nothing but a new beginning asks for the rest.
        self.followed = 0;
        self.quiet = 0;
        self.keep = 0;
    }

    /// Where nothing is known: an operation begins with these bytes (see [`Self::step`]), which may be a
    /// frame's first ones.
    #[inline(always)]
    pub fn resume(&mut self, have: u32, first: u64, ninth: u8) {
        const PRI: u64 = 0x5448_202a_2049_5250;
        let preface = first == PRI;
        if have < HEADER as u32 || !(preface || Frame::new(first, ninth).is_plausible()) {
            return;
        }
        self.followed = 1;
        self.left = if preface { PREFACE.len() as u32 } else { 0 };
        self.keep = self.left;
        (self.quiet, self.filled, self.header) = (0, 0, 0);
        (self.following, self.stream, self.prefixed) = (0, 0, 0);
        self.slots = [Slot::default(); SLOTS];
    }

    /// How many of the next bytes nobody wants.
    #[inline(always)]
    #[must_use]
    pub fn quiet(&self) -> u32 {
        self.quiet
    }

    /// How many of the next bytes are wanted for sure.
    #[inline(always)]
    #[must_use]
    pub fn kept(&self) -> u32 {
        if self.quiet == 0 { self.keep } else { 0 }
    }

    /// Passes over bytes that nobody wants, at most [`Self::quiet`] of them.
    #[inline(always)]
    pub fn pass(&mut self, bytes: u32) {
        let bytes = bytes.min(self.quiet);
        self.quiet -= bytes;
        self.left -= bytes.min(self.left);
        if self.following != 0 {
            self.message -= bytes.min(self.message);
        }
    }

    /// Takes some of the next bytes, of which there are `have`, at least one; how many. `first`: the next
    /// eight as a little-endian number, and `ninth`, the one behind them; as far as there are so many.
    #[inline(always)]
    pub fn step(&mut self, have: u32, first: u64, ninth: u8) -> u32 {
        if self.left == 0 {
            return self.header(have, first, ninth);
        }
        if self.quiet != 0 {
            let taken = self.quiet.min(have);
            self.pass(taken);
            return taken;
        }
        if self.keep != 0 {
            let taken = self.keep.min(have);
            self.keep -= taken;
            self.left -= taken.min(self.left);
            if self.keep == 0 {
                self.quiet = self.left;
            }
            return taken;
        }
        if self.following != 0 {
            return self.prefix(have, first);
        }
        self.quiet = self.left;
        0
    }

    #[inline(always)]
    fn header(&mut self, have: u32, first: u64, ninth: u8) -> u32 {
        if self.filled == 0 && have >= HEADER as u32 {
            self.begin(Frame::new(first, ninth));
            return HEADER as u32;
        }
        if self.filled < HEADER as u32 - 1 {
            self.header |= (first & 0xff) << (8 * (self.filled & 7));
            self.filled += 1;
        } else {
            self.begin(Frame::new(self.header, first as u8));
            (self.header, self.filled) = (0, 0);
        }
        1
    }

    #[inline(always)]
    fn begin(&mut self, frame: Frame) {
        if !frame.is_possible() {
            return self.lose();
        }
        self.left = frame.length;
        (self.quiet, self.keep, self.following) = (0, 0, 0);
        match frame.kind {
            HEADERS | PUSH_PROMISE | CONTINUATION => self.keep = frame.length,
            RST_STREAM | GOAWAY => self.keep = frame.length.min(CONTROL),
            // How long the padding is.
            DATA if frame.has(PADDED) => self.keep = frame.length.min(1 + PREFIX),
            DATA => self.data(frame.stream),
            _ => self.quiet = frame.length,
        }
    }

    /// DATA of this stream begins.
    #[inline(always)]
    fn data(&mut self, stream: u32) {
        if stream != self.stream {
            self.slots[slot(self.stream)] = Slot { stream: self.stream, message: self.message };
            let known = self.slots[slot(stream)];
            self.message = if known.stream == stream { known.message } else { 0 };
            (self.stream, self.prefixed, self.size) = (stream, 0, 0);
        }
        if self.message == NO_MESSAGES {
            self.quiet = self.left;
        } else {
            self.following = 1;
            self.quiet = self.message.min(self.left);
        }
    }

    /// The next bytes are a message's prefix.
    #[inline(always)]
    fn prefix(&mut self, have: u32, first: u64) -> u32 {
        let byte = first as u32 & 0xff;
        if self.prefixed == 0 && (byte > 1 || self.messages >= MAX_MESSAGES) {
            (self.following, self.message, self.quiet) = (0, NO_MESSAGES, self.left);
            return 0;
        }
        let taken = if self.prefixed == 0 && have.min(self.left) >= PREFIX {
            self.size = (first.swap_bytes() >> 24) as u32;
            self.prefixed = PREFIX;
            PREFIX
        } else {
            self.size = if self.prefixed == 0 { 0 } else { self.size << 8 | byte };
            self.prefixed += 1;
            1
        };
        self.left -= taken.min(self.left);
        if self.prefixed == PREFIX {
            self.messages += 1;
            (self.message, self.prefixed) = (self.size, 0);
            if self.message > MAX_MESSAGE {
                (self.following, self.message, self.quiet) = (0, NO_MESSAGES, self.left);
            } else {
                self.quiet = self.message.min(self.left);
            }
        }
        taken
    }
}

/// Clients' streams have odd numbers.
#[inline(always)]
fn slot(stream: u32) -> usize {
    (stream >> 1) as usize % SLOTS
}

const _: () = assert!(size_of::<Frames>() == 88);

#[cfg(test)]
mod tests {
    use super::{Frames, Place};
    use crate::frame::{DATA, END_STREAM, HEADERS, PADDED, PREFACE, RST_STREAM, SETTINGS};

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes()[..], payload].concat()
    }

    fn message(length: usize) -> Vec<u8> {
        [&[0][..], &(length as u32).to_be_bytes(), &vec![b'm'; length]].concat()
    }

    /// Which bytes are wanted, and whether they could be followed to the end. Operations end at `cuts`.
    fn follow(bytes: &[u8], cuts: &[usize]) -> (Vec<bool>, bool) {
        let (mut frames, mut wanted) = (Frames::default(), vec![]);
        let mut start = 0;
        for end in cuts.iter().copied().chain([bytes.len()]) {
            let mut rest = &bytes[start..end];
            let place = frames.operation(start as u32, rest.len() as u32, true);
            assert_eq!(place, Place::Next);
            while !rest.is_empty() {
                let mut next = [0; 9];
                let have = rest.len().min(9);
                next[..have].copy_from_slice(&rest[..have]);
                let first = u64::from_le_bytes(*next.first_chunk().unwrap());
                let have = rest.len() as u32;
                if wanted.is_empty() {
                    frames.resume(have, first, next[8]);
                }
                if !frames.is_followed() {
                    return (wanted, false);
                }
                let quiet = frames.quiet() != 0;
                let taken = frames.step(have, first, next[8]) as usize;
                wanted.extend(vec![!quiet; taken]);
                rest = &rest[taken..];
            }
            start = end;
        }
        (wanted, true)
    }

    /// How each cut in two and in three comes out.
    fn every_cut(bytes: &[u8]) -> Vec<bool> {
        let (whole, followed) = follow(bytes, &[]);
        assert!(followed);
        for first in 9..bytes.len() {
            assert_eq!(follow(bytes, &[first]), (whole.clone(), true), "{first}");
            let second = (first + 3).min(bytes.len());
            assert_eq!(follow(bytes, &[first, second]), (whole.clone(), true), "{first}");
        }
        whole
    }

    #[test]
    fn heads_are_wanted_and_bodies_are_not() {
        let body = vec![b'{'; 100];
        type Runs<'a> = &'a [(bool, usize)];
        let parts: [(&[u8], Runs<'_>); 7] = [
            (PREFACE, &[(true, 24)]),
            (&frame(SETTINGS, 0, 0, &[7; 12]), &[(true, 9), (false, 12)]),
            (&frame(HEADERS, 4, 1, &[7; 50]), &[(true, 59)]),
            (&frame(DATA, 0, 1, &body), &[(true, 9), (false, 100)]),
            (&frame(DATA, PADDED, 1, &body), &[(true, 15), (false, 94)]),
            (&frame(DATA, END_STREAM, 1, &[]), &[(true, 9)]),
            (&frame(RST_STREAM, 0, 3, &[0, 0, 0, 8]), &[(true, 13)]),
        ];
        let bytes: Vec<u8> = parts.iter().flat_map(|(bytes, _)| bytes.to_vec()).collect();
        let runs = parts.iter().flat_map(|(_, runs)| runs.iter());
        let want: Vec<bool> = runs.flat_map(|(wanted, count)| vec![*wanted; *count]).collect();
        assert_eq!(every_cut(&bytes), want);
    }

    #[test]
    fn the_prefixes_of_messages_are_wanted_wherever_they_are() {
        // Three messages in two frames of one stream, among which another stream has one.
        let first = [message(40), message(0), message(30)].concat();
        let other = message(20);
        let bytes = [
            frame(DATA, 0, 1, &first[..60]),
            frame(DATA, 0, 3, &other),
            frame(DATA, 0, 1, &first[60..]),
            frame(DATA, 0, 1, &message(3)),
        ]
        .concat();
        let runs = [
            (true, 9 + 5),
            (false, 40),
            (true, 5 + 5),
            (false, 5),
            (true, 9 + 5),
            (false, 20),
            (true, 9),
            (false, 25),
            (true, 9 + 5),
            (false, 3),
        ];
        let want: Vec<bool> =
            runs.iter().flat_map(|(wanted, count)| vec![*wanted; *count]).collect();
        assert_eq!(every_cut(&bytes), want);
    }

    #[test]
    fn zeros_are_not_taken_for_messages_forever() {
        let bytes = frame(DATA, 0, 1, &[0; 16_384]);
        let (wanted, followed) = follow(&bytes, &[]);
        let wanted = wanted.iter().filter(|wanted| **wanted).count();
        assert!(followed && wanted == 9 + 512 * 5, "{wanted}");
    }

    #[test]
    fn what_is_no_frame_is_not_followed() {
        let bytes = [frame(DATA, 0, 1, b"{}"), vec![0xff; 40]].concat();
        assert!(!follow(&bytes, &[]).1);
        assert!(!follow(b"GET / HTTP/1.1\r\n\r\n", &[]).1);
        let mut frames = Frames::default();
        assert_eq!(frames.operation(10, 9, false), Place::Next);
        frames.resume(9, 0x0406_0000, 0);
        assert!(frames.is_followed(), "SETTINGS");
        let mut past = frames;
        assert_eq!(past.operation(20, 9, true), Place::PastEnd);
        assert!(past.is_followed());
        assert_eq!(frames.operation(20, 9, false), Place::Elsewhere);
        assert!(!frames.is_followed(), "a byte was missed");
    }
}
