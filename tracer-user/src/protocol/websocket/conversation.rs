//! Both directions.

use super::reader::{Lost, Reader, Tally};
use crate::connection::Chunk;
use crate::protocol::http1::{Direction, RequestHead};

/// Something that went wrong, for the caller to count. That direction is not followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Bytes of a frame's header were not seen.
    FrameUnseen,
    /// What had to be a frame is none.
    Frame,
}

impl Fault {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::FrameUnseen => "websocket_frame_unseen",
            Fault::Frame => "websocket_frame",
        }
    }
}

/// Whether a request asks for WebSocket (RFC 6455 section 4.1): then a 101 begins it.
#[must_use]
pub fn is_upgrade(request: &RequestHead) -> bool {
    let wish = request.upgrade.as_deref().unwrap_or_default();
    wish.split(',').any(|name| name.trim().eq_ignore_ascii_case("websocket"))
}

/// A connection behind the 101 that began it.
#[derive(Clone, Debug)]
pub struct Conversation {
    client: Reader,
    server: Reader,
}

impl Conversation {
    /// The positions at which each side's first frame begins.
    #[must_use]
    pub fn new(client: u64, server: u64) -> Self {
        Self { client: Reader::new(true, client), server: Reader::new(false, server) }
    }

    pub(super) fn reader(&mut self, direction: Direction) -> &mut Reader {
        match direction {
            Direction::Request => &mut self.client,
            Direction::Response => &mut self.server,
        }
    }

    /// Bytes went in this direction; what was wrong with them.
    pub fn operation(&mut self, direction: Direction, chunk: &Chunk<'_>) -> Option<Fault> {
        let reader = self.reader(direction);
        let mut window = reader.admit(chunk);
        let mut fault = None;
        while let Some(step) = reader.step(&mut window) {
            fault = fault.or(step.err().map(|lost| match lost {
                Lost::Unseen => Fault::FrameUnseen,
                Lost::Malformed(_) => Fault::Frame,
            }));
        }
        fault
    }

    /// Bytes up to stream position `until` have moved in operations that were not seen. What of them
    /// is payload is taken as such; returns up to where.
    pub fn pass(&mut self, direction: Direction, until: u64) -> Option<u64> {
        let reader = self.reader(direction);
        let mut window = reader.pass(until)?;
        let passed = window.end();
        while reader.step(&mut window).is_some() {}
        Some(passed)
    }

    /// How many bytes of the payload under way are still to come; 0 outside of one.
    #[must_use]
    pub fn payload_left(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Request => self.client.payload_left(),
            Direction::Response => self.server.payload_left(),
        }
    }

    /// No more bytes will come in this direction.
    pub fn close(&mut self, direction: Direction) {
        self.reader(direction).close();
    }

    /// Both sides have said that they close the connection: nothing more is to come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.client.tally.closed && self.server.tally.closed
    }

    /// What the client has sent, and the server.
    #[must_use]
    pub fn tallies(&self) -> [Tally; 2] {
        [self.client.tally, self.server.tally]
    }
}
