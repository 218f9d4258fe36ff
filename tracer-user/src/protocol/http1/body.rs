//! A message's body on its way through the operations.

use super::chunked::{Chunked, Progress};
use super::event::Fault;
use super::framing::Framing;
use super::tail::{Sight, Tail};
use super::window::Window;

/// What one operation did for a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It is not over; the window is used up.
    Open,
    /// It is over. `likely`: as far as an operation's last bytes can tell.
    Over { likely: bool },
    /// It is not what its framing says.
    Broken,
}

/// How far a body has been read.
#[derive(Clone, Debug)]
pub(super) struct Body {
    way: Way,
    /// Bytes of content so far.
    pub(super) size: u64,
    /// The message was told to have ended already.
    pub(super) reported: bool,
    /// Bytes of any kind have come.
    pub(super) begun: bool,
    /// What makes its size unsure.
    pub(super) fault: Option<Fault>,
}

#[derive(Clone, Debug)]
enum Way {
    Length(u64),
    Chunked(Chunked),
    Tail(Tail),
    UntilClose,
}

impl Body {
    /// At its beginning; `None` if there is none.
    pub(super) fn new(framing: Framing) -> Option<Self> {
        let way = match framing {
            Framing::None | Framing::Length(0) => return None,
            Framing::Length(length) => Way::Length(length),
            Framing::Chunked => Way::Chunked(Chunked::new()),
            Framing::UntilClose => Way::UntilClose,
        };
        Some(Body { way, size: 0, reported: false, begun: false, fault: None })
    }

    /// A body that goes on after its supposed end.
    pub(super) fn resumed(size: u64) -> Self {
        let way = Way::Tail(Tail::default());
        Body { way, size, reported: true, begun: true, fault: None }
    }

    /// Its end is being looked for in the last bytes of operations.
    pub(super) fn in_tail(&self) -> bool {
        matches!(self.way, Way::Tail(_))
    }

    /// How many bytes come before the next one that has to be looked at.
    pub(super) fn left(&self) -> u64 {
        match &self.way {
            Way::Length(left) => *left,
            Way::Chunked(chunked) => chunked.data_left(),
            Way::Tail(_) => 0,
            Way::UntilClose => u64::MAX,
        }
    }

    /// Reads on; `head` tells the beginning of a message of this direction.
    pub(super) fn advance(
        &mut self,
        window: &mut Window<'_>,
        head: impl Fn(&[u8]) -> bool,
    ) -> Course {
        let available = window.len();
        self.begun |= available > 0;
        match &mut self.way {
            Way::Length(left) => {
                let step = available.min(*left);
                window.skip(step);
                *left -= step;
                self.size = self.size.saturating_add(step);
                if *left == 0 { Course::Over { likely: false } } else { Course::Open }
            }
            Way::UntilClose => {
                window.finish();
                self.size = self.size.saturating_add(available);
                Course::Open
            }
            Way::Chunked(chunked) => match chunked.advance(window, &mut self.size) {
                Progress::More => Course::Open,
                Progress::Done => Course::Over { likely: false },
                Progress::Broken => Course::Broken,
                Progress::Hidden => {
                    self.way = Way::Tail(Tail::default());
                    self.advance(window, head)
                }
            },
            Way::Tail(tail) => {
                let sight = tail.look(window, head);
                self.size = self.size.saturating_add(available - window.len());
                match sight {
                    Sight::None => Course::Open,
                    Sight::Likely => Course::Over { likely: true },
                    Sight::Sure => Course::Over { likely: false },
                }
            }
        }
    }

    /// The stream is over: was all of the body there?
    pub(super) fn is_complete_at_close(&self) -> bool {
        match &self.way {
            Way::UntilClose => true,
            Way::Tail(tail) => tail.may_have_ended(),
            Way::Length(_) | Way::Chunked(_) => false,
        }
    }
}
