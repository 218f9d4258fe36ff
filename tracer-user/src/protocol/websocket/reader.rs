//! One direction: where its frames begin and end.

use super::frame::{Header, Kind, MAX_HEADER, Parsed, parse};
use crate::connection::Chunk;
use crate::protocol::http2::window::{Run, Window};

/// What one side has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages, text or binary, that came to their end.
    pub messages: u64,
    /// Bytes of what they and an unfinished one carry, compressed if they are.
    pub bytes: u64,
    /// Pings and pongs.
    pub beats: u64,
    /// It has said that it closes the connection.
    pub closed: bool,
    /// Why, if it said (RFC 6455 section 7.4).
    pub code: Option<u16>,
    /// Not all of it could be followed: there may be more messages.
    pub inexact: bool,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// So many bytes of a header have come.
    Header([u8; MAX_HEADER], usize),
    /// In a payload.
    Payload { header: Header, come: u64, code: Code },
    /// Nothing more is to come, or can be followed.
    Over,
}

/// The first bytes of a Close's payload, as far as they were seen.
type Code = [Option<u8>; 2];

const BEGIN: State = State::Header([0; MAX_HEADER], 0);

/// What the next bytes of an operation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// So many of a header.
    Header(u64),
    /// So many of a Close's payload, behind so many others.
    Close { come: u64, bytes: u64 },
    /// So many of any other payload.
    Content(u64),
    /// All that is left: it cannot be told.
    Unknown,
}

/// Why a direction cannot be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// A header was not seen.
    Unseen,
    /// What came is no frame, or none that may come here; these bytes show it.
    Malformed(Part),
}

/// A direction.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    /// Its frames are masked: it is the client's.
    masked: bool,
    state: State,
    /// A message has begun and is not over.
    within: bool,
    next: u64,
    pub(super) tally: Tally,
}

impl Reader {
    /// Its first frame begins at this position of the stream.
    pub(super) fn new(masked: bool, next: u64) -> Self {
        Self { masked, state: BEGIN, within: false, next, tally: Tally::default() }
    }

    /// Position behind the last byte that came.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The window on what is new of an operation.
    pub(super) fn admit<'a>(&mut self, chunk: &Chunk<'a>) -> Window<'a> {
        let window = Window::new(chunk, Some(self.next));
        self.next = window.end().max(self.next);
        window
    }

    /// Of the bytes up to `until`, which moved unseen, those that belong to the payload under way.
    pub(super) fn pass(&mut self, until: u64) -> Option<Window<'static>> {
        let len = until.saturating_sub(self.next).min(self.payload_left());
        let window = Window::missing(self.next, len);
        self.next = window.end();
        (len > 0).then_some(window)
    }

    /// Bytes of the payload that are still to come; 0 outside of one.
    pub(super) fn payload_left(&self) -> u64 {
        match &self.state {
            State::Payload { header, come, .. } => header.payload - come,
            State::Header(..) | State::Over => 0,
        }
    }

    /// No more bytes will come.
    pub(super) fn close(&mut self) {
        self.state = State::Over;
    }

    /// Reads what is next in the window; `None` if it is used up.
    pub(super) fn step(&mut self, window: &mut Window<'_>) -> Option<Result<Part, Lost>> {
        let run = window.run()?;
        match (&mut self.state, run) {
            (State::Over, _) => {
                window.finish();
                Some(Ok(Part::Unknown))
            }
            (State::Header(..), Run::Unseen(_)) => Some(Err(self.lose(Lost::Unseen, window))),
            (State::Header(bytes, filled), Run::Known(known)) => {
                let mut took = 0;
                let parsed = loop {
                    let parsed = parse(bytes.get(..*filled).unwrap_or_default(), self.masked);
                    let next = known.get(took).zip(bytes.get_mut(*filled));
                    let (Parsed::Needs(_), Some((byte, room))) = (parsed, next) else {
                        break parsed;
                    };
                    *room = *byte;
                    (*filled, took) = (*filled + 1, took + 1);
                };
                window.skip(took as u64);
                let begun = match parsed {
                    Parsed::Needs(_) => true,
                    Parsed::Whole(header) => self.begin(header),
                    Parsed::Malformed => false,
                };
                let part = Part::Header(took as u64);
                Some(if begun { Ok(part) } else { Err(self.lose(Lost::Malformed(part), window)) })
            }
            (State::Payload { header, come, code }, run) => {
                let left = header.payload - *come;
                let bytes = match run {
                    Run::Known(known) => left.min(known.len() as u64),
                    Run::Unseen(unseen) => left.min(unseen),
                };
                let part = match (header.kind, run) {
                    (Kind::Close, Run::Known(known)) => {
                        let open = code.iter_mut().skip(usize::try_from(*come).unwrap_or(2));
                        // What lies behind the payload is of the next frame.
                        let ours = known.iter().take(usize::try_from(bytes).unwrap_or(usize::MAX));
                        open.zip(ours).for_each(|(to, from)| *to = Some(*from));
                        Part::Close { come: *come, bytes }
                    }
                    (Kind::First | Kind::Further, _) => {
                        self.tally.bytes = self.tally.bytes.saturating_add(bytes);
                        Part::Content(bytes)
                    }
                    (Kind::Beat, _) | (Kind::Close, Run::Unseen(_)) => Part::Content(bytes),
                };
                *come += bytes;
                window.skip(bytes);
                if *come == header.payload {
                    let (header, code) = (*header, *code);
                    self.end(header, code);
                }
                Some(Ok(part))
            }
        }
    }

    /// Bytes are missing, or are none of a frame.
    fn lose(&mut self, lost: Lost, window: &mut Window<'_>) -> Lost {
        window.finish();
        self.state = State::Over;
        self.tally.inexact = true;
        lost
    }

    /// A frame begins; false if it may not.
    fn begin(&mut self, header: Header) -> bool {
        match header.kind {
            Kind::First if self.within => return false,
            Kind::Further if !self.within => return false,
            Kind::First | Kind::Further => self.within = true,
            Kind::Close | Kind::Beat => {}
        }
        self.state = State::Payload { header, come: 0, code: [None; 2] };
        if header.payload == 0 {
            self.end(header, [None; 2]);
        }
        true
    }

    fn end(&mut self, header: Header, code: Code) {
        self.state = BEGIN;
        match header.kind {
            Kind::First | Kind::Further if header.last => {
                self.within = false;
                self.tally.messages += 1;
            }
            Kind::First | Kind::Further => {}
            Kind::Beat => self.tally.beats += 1,
            Kind::Close => {
                let [first, second, ..] = header.key.unwrap_or_default();
                if let [Some(high), Some(low)] = code {
                    self.tally.code = Some(u16::from_be_bytes([high ^ first, low ^ second]));
                }
                self.tally.closed = true;
                self.state = State::Over;
            }
        }
    }
}
