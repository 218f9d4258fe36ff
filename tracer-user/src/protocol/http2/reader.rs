//! One direction of a connection: where its frames begin and end.
//!
//! ```text
//! Preface -> Header -> Payload -> Header ...
//!               |
//!            Seeking -> Header     a header that was not seen, or is none
//! ```

use super::event::Fault;
use super::frame::{Frame, HEADER, PREFACE, are_frames, parse};
use super::window::{Run, Window};
use crate::connection::{Chunk, Moment};

/// What comes next.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A frame begins.
    Begun {
        frame: Frame,
        /// The operation with its first byte.
        at: Moment,
    },
    /// Bytes of its payload.
    Bytes(&'a [u8]),
    /// Bytes of its payload that are not known.
    Unseen(u64),
    /// It is over.
    Over,
    /// The place in the stream is lost: frames may be missing before the next one.
    Lost(Fault),
}

#[derive(Clone, Debug)]
enum State {
    /// So many bytes of the preface have come.
    Preface(usize),
    /// These bytes of a frame header have come.
    Header {
        bytes: [u8; HEADER],
        filled: usize,
        /// The operation with the first of them.
        begun: Option<Moment>,
    },
    /// So many bytes of the payload are still to come.
    Payload(u64),
    /// Operations that begin like a frame are waited for.
    Seeking,
}

/// A direction.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    state: State,
    next: Option<u64>,
}

const BEFORE_FRAME: State = State::Header { bytes: [0; HEADER], filled: 0, begun: None };

impl Reader {
    /// Met in the middle.
    pub(super) fn seeking() -> Self {
        Self { state: State::Seeking, next: None }
    }

    /// From its first byte on. `preface`: the client's.
    pub(super) fn fresh(preface: bool) -> Self {
        Self { state: if preface { State::Preface(0) } else { BEFORE_FRAME }, next: None }
    }

    /// The window on what is new of an operation.
    pub(super) fn admit<'a>(&mut self, chunk: &Chunk<'a>) -> Window<'a> {
        let window = Window::new(chunk, self.next);
        self.next = Some(window.end().max(self.next.unwrap_or(0)));
        window
    }

    /// As it is at this place of the operation under way.
    pub(super) fn at(&self, window: &Window<'_>) -> Self {
        Self { next: Some(window.position()), ..self.clone() }
    }

    /// An operation at `position` goes on where this one is, `behind` bytes before.
    pub(super) fn continues(&self, position: u64, behind: u64) -> bool {
        self.next.is_some_and(|next| next.checked_add(behind) == Some(position))
    }

    /// Operations that begin like a frame are waited for.
    pub(super) fn is_seeking(&self) -> bool {
        matches!(self.state, State::Seeking)
    }

    /// Bytes that have come of a frame header that is not whole.
    pub(super) fn header_come(&self) -> usize {
        if let State::Header { filled, .. } = self.state { filled } else { 0 }
    }

    /// Gives back the bytes of a frame header that is not whole: they come again.
    pub(super) fn unread_header(&mut self) {
        let come = self.header_come() as u64;
        if come > 0 {
            self.state = BEFORE_FRAME;
            self.next = self.next.map(|next| next.saturating_sub(come));
        }
    }

    /// Bytes of the payload that are still to come; 0 outside a frame.
    pub(super) fn payload_left(&self) -> u64 {
        if let State::Payload(left) = self.state { left } else { 0 }
    }

    /// The next thing that happens in this window; `None` if it is used up.
    pub(super) fn step<'a>(&mut self, window: &mut Window<'a>, now: Moment) -> Option<Step<'a>> {
        loop {
            if let State::Payload(0) = self.state {
                self.state = BEFORE_FRAME;
                return Some(Step::Over);
            }
            let run = window.run()?;
            match (&mut self.state, run) {
                (State::Seeking, Run::Unseen(_)) => window.seek(),
                (State::Seeking, Run::Known(bytes)) => {
                    if window.at_start() && are_frames(bytes) {
                        self.state = BEFORE_FRAME;
                    } else {
                        window.finish();
                    }
                }
                (State::Preface(come), Run::Known(bytes)) => {
                    let rest = PREFACE.get(*come..).unwrap_or_default();
                    let common = rest.len().min(bytes.len());
                    if rest.get(..common) != bytes.get(..common) {
                        return Some(self.lose(Fault::Preface, window));
                    }
                    window.skip(common as u64);
                    *come += common;
                    if *come == PREFACE.len() {
                        self.state = BEFORE_FRAME;
                    }
                }
                (State::Header { bytes, filled, begun }, Run::Known(known)) => {
                    let at = *begun.get_or_insert(now);
                    let taken = (HEADER - *filled).min(known.len());
                    let to = bytes.iter_mut().skip(*filled);
                    to.zip(known).for_each(|(to, byte)| *to = *byte);
                    window.skip(taken as u64);
                    *filled += taken;
                    let frame = parse(bytes).filter(|_| *filled == HEADER);
                    match frame {
                        None => {}
                        Some(frame) if frame.is_possible() => {
                            self.state = State::Payload(frame.length.into());
                            return Some(Step::Begun { frame, at });
                        }
                        Some(_) => return Some(self.lose(Fault::FrameHeader, window)),
                    }
                }
                (State::Preface(_) | State::Header { .. }, Run::Unseen(_)) => {
                    self.state = State::Seeking;
                    window.seek();
                    return Some(Step::Lost(Fault::FrameUnseen));
                }
                (State::Payload(left), Run::Known(bytes)) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    window.skip(taken as u64);
                    return Some(Step::Bytes(bytes.get(..taken).unwrap_or_default()));
                }
                (State::Payload(left), Run::Unseen(count)) => {
                    let taken = count.min(*left);
                    *left -= taken;
                    window.skip(taken);
                    return Some(Step::Unseen(taken));
                }
            }
        }
    }

    fn lose<'a>(&mut self, fault: Fault, window: &mut Window<'a>) -> Step<'a> {
        self.state = State::Seeking;
        window.finish();
        Step::Lost(fault)
    }
}
