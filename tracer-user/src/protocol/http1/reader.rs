//! One direction of a connection: where its messages begin and end.
//!
//! ```text
//!             prefix (a connection's first bytes, requests only)
//!                |
//!   Seeking -> Head -> Parsed -> Body -> Between -> Head ...
//!      ^         |                |         |
//!      +---------+----------------+---------+   bytes lost, or not what they should be
//!                         Parsed -> Held        after a CONNECT request
//! ```

use super::body::Body;
use super::engine::Limits;
use super::event::Fault;
use super::framing::{Framing, Lengths};
use super::opening::Opening;
use super::part::Part;
use super::proxy::Prefix;
use super::window::Window;
use crate::connection::{Chunk, Moment};
use tracer_common::head::Start;

/// What tells request heads from response heads.
pub(super) trait Head: Sized {
    /// The message's beginning is told before its head is complete.
    const ANNOUNCED: bool;
    /// What bytes are that are no such head.
    const MALFORMED: Fault;
    /// No doubt that such a head begins.
    fn is_start(start: Start) -> bool;
    /// A head can begin with this byte.
    fn may_begin_with(byte: u8) -> bool;
    /// The head's length, the head, and the fields that frame its body; `None` if it goes on
    /// beyond `bytes`.
    fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<(usize, Self, Lengths)>, Fault>;
}

/// What happened next.
#[derive(Debug)]
pub(super) enum Step<H> {
    /// A message begins. Only if it is [`Head::ANNOUNCED`], and before its `Head`.
    Started { at: Moment, position: u64 },
    /// Its head is complete. The engine says next what follows: [`Reader::body`],
    /// [`Reader::hold`] or [`Reader::seek`].
    Head { head: Box<H>, lengths: Lengths, first: Moment },
    /// It is over.
    Ended { body: u64, complete: bool, fault: Option<Fault> },
    /// It had been told to be over, and is now.
    Extended { body: u64 },
    /// Sync is lost. `open`: the size of the body so far of a message that was begun and is not
    /// over. `synced`: its beginning was where it had to be. `head`: what is known of a head whose
    /// end is not, and the operation with its first byte.
    Broken { fault: Fault, open: Option<u64>, synced: bool, head: Option<(Box<H>, Moment)> },
    /// To be counted.
    Fault(Fault),
}

/// Where the next byte lies.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Nowhere known: operations that begin like a head are waited for.
    Seeking,
    /// In what may be a PROXY protocol prefix, which began with this operation.
    Prefix(Prefix, Moment),
    /// Before a message. `doubt`: the size of the body before, if its end was only likely.
    Between {
        doubt: Option<u64>,
    },
    Head(Opening),
    /// Behind a head, until the engine says what follows.
    Parsed,
    Body(Body),
    /// Behind a CONNECT request, until it is answered. `clean`: nothing has come since.
    Held {
        clean: bool,
    },
    /// Nothing more is expected.
    Closed,
}

/// A direction.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) state: State,
    /// What bytes are is to be noted.
    pub(super) noting: bool,
    next: Option<u64>,
    /// The operation being read, and the one before.
    pub(super) now: Moment,
    last: Moment,
}

impl Reader {
    /// Nothing has been seen.
    pub(super) fn new() -> Self {
        let (now, last) = (Moment::default(), Moment::default());
        Reader { state: State::Seeking, noting: false, next: None, now, last }
    }

    /// Nothing has been seen.
    pub(super) fn is_new(&self) -> bool {
        self.next.is_none()
    }

    /// Position behind the last byte that came.
    pub(super) fn at(&self) -> u64 {
        self.next.unwrap_or(0)
    }

    /// What of an operation is new: first what is missing before it, then its own bytes.
    pub(super) fn admit<'a>(&mut self, chunk: &Chunk<'a>, prefix: bool) -> [Option<Window<'a>>; 2] {
        let mut window = Window::new(chunk);
        if self.noting {
            window.note();
        }
        let mut missing = None;
        match self.next {
            None if chunk.position == 0 && prefix && Prefix::may_begin(window.known()) => {
                self.state = State::Prefix(Prefix::new(), chunk.at);
            }
            None if chunk.position == 0 => self.state = State::Between { doubt: None },
            None => {}
            Some(next) if chunk.position < next => window.skip(next - chunk.position),
            Some(next) if chunk.position > next => {
                missing = Some(Window::missing(next, chunk.position - next));
            }
            Some(_) => {}
        }
        if window.is_empty() || matches!(self.state, State::Closed) {
            return [None, None];
        }
        self.next = Some(window.position().saturating_add(window.len()));
        self.last = std::mem::replace(&mut self.now, chunk.at);
        [missing, Some(window)]
    }

    /// Of the bytes up to `until`, which moved in operations that were not seen by the time of `at`,
    /// those that belong to the body under way and need not be looked at.
    pub(super) fn pass(&mut self, until: u64, at: Moment) -> Option<Window<'static>> {
        let next = self.next?;
        let len = until.saturating_sub(next).min(self.body_left());
        if len == 0 {
            return None;
        }
        self.next = Some(next.saturating_add(len));
        self.last = std::mem::replace(&mut self.now, at);
        Some(Window::missing(next, len))
    }

    /// How many bytes come before the next one that has to be looked at; 0 outside a body.
    pub(super) fn body_left(&self) -> u64 {
        match &self.state {
            State::Body(body) => body.left(),
            _ => 0,
        }
    }

    /// Tells what follows the head; false if that is the next message at once.
    pub(super) fn body(&mut self, framing: Framing) -> bool {
        let body = Body::new(framing);
        let follows = body.is_some();
        self.state = body.map_or(State::Between { doubt: None }, State::Body);
        follows
    }

    /// Ignores what comes until [`Reader::release`].
    pub(super) fn hold(&mut self) {
        self.state = State::Held { clean: true };
    }

    /// The next message begins now; false if bytes were ignored since [`Reader::hold`], so that it
    /// has to be looked for.
    pub(super) fn release(&mut self) -> bool {
        let State::Held { clean } = self.state else { return true };
        self.state = if clean { State::Between { doubt: None } } else { State::Seeking };
        clean
    }

    /// Looks for the next message from the next operation on.
    pub(super) fn seek(&mut self, window: &mut Window<'_>) {
        self.state = State::Seeking;
        window.mark(Part::Content);
        window.finish();
    }

    /// Passes over a message that begins, and whatever follows.
    pub(super) fn refuse(&mut self, window: &mut Window<'_>) {
        self.state = State::Seeking;
        window.finish();
    }

    /// Ends a body now, as of the operation before, and expects the next message.
    pub(super) fn cut<H>(&mut self) -> Option<(Step<H>, Moment)> {
        let step = self.over(false)?;
        self.state = State::Between { doubt: None };
        Some((step, self.last))
    }

    /// No more bytes will come.
    pub(super) fn close<H>(&mut self) -> Option<Step<H>> {
        let step = self.over(true);
        self.state = State::Closed;
        step
    }

    fn over<H>(&self, closed: bool) -> Option<Step<H>> {
        match &self.state {
            State::Head(opening) if opening.announced => {
                Some(Step::Ended { body: 0, complete: false, fault: None })
            }
            State::Body(body) if body.reported => Some(Step::Extended { body: body.size }),
            State::Body(body) => {
                let complete = closed && body.is_complete_at_close();
                Some(Step::Ended { body: body.size, complete, fault: body.fault })
            }
            _ => None,
        }
    }

    /// The size of a body whose end was only likely, and after which nothing has come yet.
    pub(super) fn doubt(&self) -> Option<u64> {
        match self.state {
            State::Between { doubt } => doubt,
            _ => None,
        }
    }

    /// The end that was only likely was none.
    pub(super) fn resume(&mut self, size: u64) {
        self.state = State::Body(Body::resumed(size));
    }

    /// The end of a body is being looked for in the last bytes of operations.
    pub(super) fn in_tail(&self) -> bool {
        matches!(&self.state, State::Body(body) if body.in_tail())
    }

    /// A body is expected of which nothing has come.
    pub(super) fn awaits_body(&self) -> bool {
        matches!(&self.state, State::Body(body) if !body.begun)
    }

    /// Within a body.
    pub(super) fn in_body(&self) -> bool {
        matches!(self.state, State::Body(_))
    }

    /// Not within a message.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Seeking | State::Between { .. } | State::Closed)
    }

    /// No more bytes will come.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }
}
