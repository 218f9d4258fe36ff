//! Channels: what is under way on each, and whether the broker confirms what is published there.

use std::collections::HashMap;

use super::frame::Frame;
use super::{Call, Calls, Direction, Found, Message, Moment};

/// Most channels that are remembered.
pub(super) const MAX_CHANNELS: usize = 1024;

/// A message from the broker whose content has not come in full.
#[derive(Debug)]
pub(super) struct Arriving {
    pub(super) what: What,
    pub(super) content: Content,
}

/// What it is.
#[derive(Debug)]
pub(super) enum What {
    Deliver {
        position: u64,
        first: Moment,
        asks: Box<Call>,
    },
    /// The answer to this call.
    Got(u64),
    /// One that comes back.
    Returned,
}

/// A content header and a body.
///
/// ```text
/// header awaited ---- header ----> body awaited ---- its last byte ----> over
///                         \____________ no body ______________________/
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Content {
    /// So many bytes of the body are to come; `None` before the header.
    pub(super) left: Option<u64>,
}

/// What has become of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More of it is to come.
    More,
    /// All of it has come.
    Over,
    /// This is none of its frames.
    Wrong,
}

impl Content {
    /// Its header has come, or could not be read.
    pub(super) fn header(&mut self, size: Option<u64>) -> Step {
        match (self.left, size) {
            (None, Some(0)) => Step::Over,
            (None, Some(size)) => {
                self.left = Some(size);
                Step::More
            }
            _ => Step::Wrong,
        }
    }

    /// A frame of its body has come, or all that are left of it as one message: see `Amqp::split`.
    pub(super) fn body(&mut self, frame: &Frame<'_>, message: &Message<'_>) -> Step {
        let one = message.length <= frame.length();
        let bytes = if one { Some(u64::from(frame.size)) } else { self.left };
        self.left = self.left.zip(bytes).and_then(|(left, bytes)| left.checked_sub(bytes));
        match self.left {
            None => Step::Wrong,
            Some(0) => Step::Over,
            Some(_) => Step::More,
        }
    }
}

/// A channel.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// What the broker will call the next message that is published, where it confirms them and their
    /// number is known.
    pub(super) next_tag: Option<u64>,
    /// Why the broker has closed it.
    pub(super) closed: Option<u16>,
    /// The call that publishes a message, of which this is to come.
    pub(super) publishing: Option<(u64, Content)>,
    pub(super) arriving: Option<Arriving>,
}

impl Channel {
    /// The number of a message.
    pub(super) fn count(&mut self) -> Option<u64> {
        let tag = self.next_tag?;
        self.next_tag = tag.checked_add(1);
        Some(tag)
    }
}

/// Those of a connection.
#[derive(Debug, Default)]
pub(super) struct Channels {
    channels: HashMap<u16, Channel>,
}

impl Channels {
    /// What is left of a body, where no frame of others can come before its end. The broker sends all
    /// frames of a message in one go (rabbit_writer does); a client may send those of others between them,
    /// if it has several channels.
    pub(super) fn left(&self, of: Direction, number: u16) -> Option<u64> {
        let channel = self.channels.get(&number)?;
        match of {
            Direction::Request if self.channels.len() > 1 => None,
            Direction::Request => channel.publishing.as_ref()?.1.left,
            Direction::Response => channel.arriving.as_ref()?.content.left,
        }
    }

    pub(super) fn get_mut(&mut self, number: u16) -> Option<&mut Channel> {
        self.channels.get_mut(&number)
    }

    /// This one, whether it was known or not. `None`: there are too many.
    pub(super) fn of(&mut self, number: u16, calls: &mut Calls<'_>) -> Option<&mut Channel> {
        if self.channels.len() >= MAX_CHANNELS && !self.channels.contains_key(&number) {
            calls.tell(Found::Full);
            return None;
        }
        Some(self.channels.entry(number).or_default())
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.channels.values_mut()
    }

    /// It is closed.
    pub(super) fn remove(&mut self, number: u16) {
        self.channels.remove(&number);
    }

    /// So are all.
    pub(super) fn clear(&mut self) {
        self.channels = HashMap::new();
    }
}
