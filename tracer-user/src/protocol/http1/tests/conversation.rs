//! Drives an engine and writes down what it says, a short line an event.

use crate::connection::{Chunk, Moment};
use crate::protocol::http1::{Direction, Engine, Event, Framing, Limits};

/// A connection under test.
pub(super) struct Conversation {
    engine: Engine,
    order: u64,
    positions: [u64; 2],
    /// What was said since [`Conversation::said`].
    pub(super) events: Vec<Event>,
}

impl Conversation {
    pub(super) fn new() -> Self {
        Conversation::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        let engine = Engine::new(limits);
        Conversation { engine, order: 0, positions: [0; 2], events: Vec::new() }
    }

    /// Both directions begin at this position instead of 0.
    pub(super) fn midstream() -> Self {
        Conversation { positions: [1000; 2], ..Conversation::new() }
    }

    /// An operation all of whose bytes are known.
    pub(super) fn request(&mut self, bytes: &[u8]) -> &mut Self {
        self.operation(Direction::Request, bytes.len() as u64, bytes, b"")
    }

    /// The same the other way.
    pub(super) fn response(&mut self, bytes: &[u8]) -> &mut Self {
        self.operation(Direction::Response, bytes.len() as u64, bytes, b"")
    }

    /// An operation with a hidden middle.
    pub(super) fn operation(
        &mut self,
        direction: Direction,
        len: u64,
        head: &[u8],
        tail: &[u8],
    ) -> &mut Self {
        let position = self.position(direction);
        self.at(direction, Chunk { at: Moment::default(), position, len, head, tail });
        self.lose(direction, len)
    }

    /// An operation anywhere in the stream; later ones are not moved by it.
    pub(super) fn at(&mut self, direction: Direction, chunk: Chunk<'_>) -> &mut Self {
        self.order += 1;
        let chunk = Chunk { at: moment(self.order), ..chunk };
        let mut sink = |event| self.events.push(event);
        match direction {
            Direction::Request => self.engine.request(&chunk, &mut sink),
            Direction::Response => self.engine.response(&chunk, &mut sink),
        }
        self
    }

    /// Bytes that move unseen.
    pub(super) fn lose(&mut self, direction: Direction, len: u64) -> &mut Self {
        self.positions[direction as usize] += len;
        self
    }

    pub(super) fn position(&self, direction: Direction) -> u64 {
        self.positions[direction as usize]
    }

    pub(super) fn close(&mut self, direction: Direction) -> &mut Self {
        self.order += 1;
        self.engine.close(direction, moment(self.order), &mut |event| self.events.push(event));
        self
    }

    pub(super) fn close_both(&mut self) -> &mut Self {
        self.close(Direction::Request).close(Direction::Response)
    }

    /// The lines since it was last asked.
    pub(super) fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events).iter().map(line).collect()
    }
}

fn moment(order: u64) -> Moment {
    Moment { time: order * 10, pid: 1, tid: 2, order, ..Moment::default() }
}

/// An event without its moments, except that `Abandoned` and the like say all else.
pub(super) fn line(event: &Event) -> String {
    let end =
        |body: &u64, complete: &bool| format!("{body}{}", if *complete { "" } else { " cut" });
    match event {
        Event::RequestStarted { position, .. } => format!("> {position}"),
        Event::RequestHead(head, _) => format!("> {} {}", head.method.as_str(), head.target),
        Event::RequestEnded { body, complete, .. } => format!("> end {}", end(body, complete)),
        Event::ResponseStarted { .. } => "<".to_owned(),
        Event::ResponseHead(head, _) => match head.framing {
            Framing::None => format!("< {}", head.status),
            framing => format!("< {} {framing:?}", head.status),
        },
        Event::ResponseEnded { body, complete, .. } => format!("< end {}", end(body, complete)),
        Event::Extended { direction, body, .. } => format!("extended {direction:?} {body}"),
        Event::Abandoned { why, .. } => format!("abandoned {why:?}"),
        Event::Left(leave) => format!("left {leave:?}"),
        Event::Fault(fault) => fault.name().to_owned(),
    }
}
