//! AMQP 0-9-1, RabbitMQ's protocol. Methods, and behind those that carry a message its header and body,
//! are frames of a channel, and those of several channels may come between one another. What is
//! published is not answered unless its channel's messages are confirmed; the broker counts those from 1
//! on, and so does this.

mod asks;
mod channel;
mod field;
mod frame;
mod method;
mod open;
mod requests;
mod responses;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use self::channel::Channels;
use self::frame::{Frame, Kind};
use self::method::Method;
use self::open::{End, OpenCalls};
use super::{Call, Calls, Dialect, Failure, Found, Message, Outcome, Split, System};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

/// The reply code of what is closed because nobody needs it any more.
const SUCCESS: u16 = 200;

/// Channels are numbered up to this, unless the broker is told otherwise.
const USUAL_CHANNELS: u16 = 2047;

/// A connection to a broker.
#[derive(Debug, Default)]
pub(in crate::protocol) struct Amqp {
    channels: Channels,
    open: OpenCalls,
}

/// What went wrong, where something is closed for this reason.
fn failure(code: u16) -> Option<Failure> {
    (code != SUCCESS).then(|| Failure { code: code.to_string() })
}

impl Amqp {
    /// One of which nothing was seen.
    pub(in crate::protocol) fn new() -> Self {
        Self::default()
    }

    /// Nothing will come on this channel any more, or it begins anew.
    fn forget(&mut self, on: u16, at: Moment, calls: &mut Calls<'_>) {
        self.open.end_all(|open| open.channel == on, &End::Abandoned(at), calls);
        self.channels.remove(on);
    }

    /// The same of all channels.
    fn forget_all(&mut self, at: Moment, calls: &mut Calls<'_>) {
        self.open.end_all(|_| true, &End::Abandoned(at), calls);
        self.channels.clear();
    }
}

impl Dialect for Amqp {
    fn split(&self, of: Direction, bytes: &[u8]) -> Split {
        let split = frame::split(of, bytes);
        // Where a large message is moved in few operations, most of its frames are not seen to begin.
        if let Split::Message { want, .. } = split
            && let Some(frame) = Frame::read(bytes)
            && let Some(left) = self.channels.left(of, frame.channel)
            && let Some(length) = frame.all(left)
        {
            return Split::Message { length, want };
        }
        split
    }

    fn begins(&self, of: Direction, bytes: &[u8]) -> bool {
        let Some(frame) = Frame::read(bytes).filter(Frame::is_sound) else {
            return of == Direction::Request && bytes.starts_with(frame::PREFACE);
        };
        match frame.kind {
            // Some clients read the seven bytes apart.
            Kind::Method if bytes.len() == frame::BEFORE => {
                of == Direction::Response && frame.channel <= USUAL_CHANNELS
            }
            Kind::Method => {
                let known = method::begins(of, &frame) == Some(true);
                known && (!frame.is_whole() || Method::read(&frame).is_some())
            }
            Kind::Heartbeat => bytes.len() as u64 >= frame.length(),
            Kind::Header | Kind::Body => false,
        }
    }

    fn message(&mut self, of: Direction, message: &Message<'_>, calls: &mut Calls<'_>) {
        let Some(frame) = Frame::read(message.bytes) else { return };
        if !frame.is_sound() {
            calls.tell(Found::Malformed);
            return self.lost(of, message.last, calls);
        }
        match of {
            Direction::Request => self.request(&frame, message, calls),
            Direction::Response => self.response(&frame, message, calls),
        }
    }

    fn lost(&mut self, of: Direction, at: Moment, calls: &mut Calls<'_>) {
        match of {
            Direction::Request => self.requests_lost(at, calls),
            Direction::Response => self.responses_lost(at, calls),
        }
    }

    fn ends(&mut self, _: Direction, _: &[u8], _: Moment, _: &mut Calls<'_>) -> bool {
        false
    }
}
