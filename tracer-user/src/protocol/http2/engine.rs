//! One connection: both directions and the streams between them.

use super::block::Block;
use super::content::Content;
use super::event::{Abandon, Event, Fault, Outcome};
use super::frame::{
    CONTINUATION, DATA, END_STREAM, Frame, GOAWAY, HEADERS, PUSH_PROMISE, RST_STREAM,
};
use super::hpack::Decoder;
use super::reader::{Reader, Step};
use super::streams::{Stream, Streams};
use super::window::Window;
use crate::connection::{Chunk, Moment};
use crate::protocol::http1::{Direction, Limits};

/// Where events go.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Event);

/// Bytes of a RST_STREAM's or a GOAWAY's payload that are read.
const CONTROL: usize = 8;

/// Follows one connection as one side saw it. Operations come in the order in which they completed;
/// a response must not come before its request (the caller holds it back).
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) limits: Limits,
    requests: Half,
    responses: Half,
    pub(super) streams: Streams,
    /// The highest stream whose request was seen, or cannot be seen any more.
    pub(super) highest: u32,
    /// Every request was seen.
    pub(super) whole: bool,
}

/// One direction.
#[derive(Clone, Debug)]
struct Half {
    reader: Reader,
    decoder: Decoder,
    /// The frame under way.
    frame: Option<Open>,
    block: Option<Block>,
}

#[derive(Clone, Debug)]
struct Open {
    frame: Frame,
    /// Of a control frame, the payload's first bytes.
    payload: Vec<u8>,
    /// Bytes of the payload that have come.
    come: u64,
    content: Content,
}

impl Half {
    fn new(reader: Reader, fresh: bool) -> Self {
        Self { reader, decoder: Decoder::new(fresh), frame: None, block: None }
    }
}

impl Engine {
    /// For a connection that begins with the client's preface, or one that is met in the middle.
    #[must_use]
    pub fn new(limits: Limits, fresh: bool) -> Self {
        let reader = |preface| if fresh { Reader::fresh(preface) } else { Reader::seeking() };
        Self {
            limits,
            requests: Half::new(reader(true), fresh),
            responses: Half::new(reader(false), fresh),
            streams: Streams::new(),
            highest: 0,
            whole: fresh,
        }
    }

    /// The request that was upgraded is that of stream 1 (RFC 7540 section 3.2).
    pub fn upgraded(&mut self) {
        let stream = Stream { request_over: true, ..Default::default() };
        self.streams.insert(1, stream);
        self.highest = 1;
    }

    /// Bytes went from the client to the server.
    pub fn request(&mut self, chunk: &Chunk<'_>, sink: &mut dyn FnMut(Event)) {
        let window = self.requests.reader.admit(chunk);
        self.read(Direction::Request, window, chunk.at, sink);
    }

    /// Bytes went from the server to the client.
    pub fn response(&mut self, chunk: &Chunk<'_>, sink: &mut dyn FnMut(Event)) {
        let window = self.responses.reader.admit(chunk);
        self.read(Direction::Response, window, chunk.at, sink);
    }

    /// How many bytes of the frame under way come before the next one; 0 between frames.
    #[must_use]
    pub fn body_left(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Request => self.requests.reader.payload_left(),
            Direction::Response => self.responses.reader.payload_left(),
        }
    }

    /// No more bytes will come in this direction. After the response direction's end the streams
    /// that are left are abandoned.
    pub fn close(&mut self, direction: Direction, at: Moment, sink: &mut dyn FnMut(Event)) {
        if direction == Direction::Response {
            self.abandon_all(Abandon::Closed, at, sink);
        }
    }

    /// Bytes of header blocks that are not whole.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        let halves = [&self.requests, &self.responses];
        halves.iter().filter_map(|half| half.block.as_ref()).map(|block| block.kept()).sum()
    }

    fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::Request => &mut self.requests,
            Direction::Response => &mut self.responses,
        }
    }

    fn read(&mut self, direction: Direction, mut window: Window<'_>, at: Moment, sink: Sink<'_>) {
        while let Some(step) = self.half(direction).reader.step(&mut window, at) {
            match step {
                Step::Begun { frame, at } => self.begin(direction, frame, at, sink),
                Step::Bytes(bytes) => self.payload(direction, Ok(bytes), at),
                Step::Unseen(count) => self.payload(direction, Err(count), at),
                Step::Over => self.over(direction, at, sink),
                Step::Lost(fault) => self.lose(direction, fault, at, sink),
            }
        }
    }

    /// A frame begins.
    fn begin(&mut self, direction: Direction, frame: Frame, at: Moment, sink: Sink<'_>) {
        let half = self.half(direction);
        match frame.kind {
            // Nothing may come between the frames of a block (RFC 9113 section 6.10).
            CONTINUATION => match half.block.as_mut().filter(|it| it.stream == frame.stream) {
                Some(block) => block.go_on(frame),
                None => half.decoder.lose(),
            },
            kind => {
                if half.block.take().is_some() {
                    half.decoder.lose();
                    sink(Event::Fault(Fault::HeaderBlockUnseen));
                }
                if matches!(kind, HEADERS | PUSH_PROMISE) {
                    half.block = Some(Block::new(frame, at));
                }
            }
        }
        half.frame = Some(Open { frame, payload: vec![], come: 0, content: Content::default() });
    }

    /// Bytes of the payload of the frame under way, or how many of them are not known.
    fn payload(&mut self, direction: Direction, bytes: Result<&[u8], u64>, at: Moment) {
        let limit = self.limits.max_head;
        let half = self.half(direction);
        let Some(open) = &mut half.frame else { return };
        let count = bytes.map_or_else(|unseen| unseen, |bytes| bytes.len() as u64);
        let before = open.come;
        open.come += count;
        let frame = open.frame;
        match frame.kind {
            HEADERS | PUSH_PROMISE | CONTINUATION => match (&mut half.block, bytes) {
                (Some(block), Ok(bytes)) => block.feed(bytes, limit),
                (Some(block), Err(_)) => block.unseen(),
                (None, _) => {}
            },
            RST_STREAM | GOAWAY => {
                if let Ok(bytes) = bytes
                    && open.payload.len() as u64 == before
                {
                    let room = CONTROL.saturating_sub(open.payload.len());
                    open.payload.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                }
            }
            DATA => {
                let (first, count) = open.content.take(frame, bytes);
                let content = match bytes {
                    Ok(bytes) => {
                        let behind = bytes.get(first..).unwrap_or_default();
                        Ok(behind.get(..count as usize).unwrap_or_default())
                    }
                    Err(_) => Err(count),
                };
                let of_request = direction == Direction::Request;
                if let Some(stream) = self.streams.get_mut(&frame.stream) {
                    stream.data(of_request, content, at);
                }
            }
            _ => {}
        }
    }

    /// The frame under way is over.
    fn over(&mut self, direction: Direction, at: Moment, sink: Sink<'_>) {
        let half = self.half(direction);
        let Some(Open { frame, payload, .. }) = half.frame.take() else { return };
        match frame.kind {
            HEADERS | PUSH_PROMISE | CONTINUATION => {
                let Some(mut block) = half.block.take() else { return };
                if block.frame_over() {
                    self.block(direction, block, at, sink);
                } else {
                    self.half(direction).block = Some(block);
                }
            }
            DATA if frame.has(END_STREAM) => self.end_of(direction, frame.stream, at, sink),
            RST_STREAM => {
                if let Some(mut stream) = self.streams.remove(&frame.stream) {
                    let code = payload.first_chunk::<4>().map(|code| u32::from_be_bytes(*code));
                    stream.outcome.reset = Some(code.unwrap_or(0));
                    let outcome = Box::new(stream.outcome);
                    sink(Event::Ended { stream: frame.stream, at, outcome });
                }
            }
            GOAWAY if direction == Direction::Response => {
                if let Some(last) = payload.first_chunk::<4>() {
                    self.go_away(u32::from_be_bytes(*last) & 0x7fff_ffff, at, sink);
                }
            }
            _ => {}
        }
    }

    /// A header block has come.
    fn block(&mut self, direction: Direction, block: Block, at: Moment, sink: Sink<'_>) {
        let limit = self.limits.max_headers;
        let half = self.half(direction);
        let (fields, whole) = half.decoder.decode(block.bytes(), limit);
        let fault = block.fault.or((!whole).then_some(Fault::HeaderBlock));
        if fault.is_some() {
            half.decoder.lose();
        }
        fault.into_iter().for_each(|fault| sink(Event::Fault(fault)));
        if block.promised {
            return;
        }
        match direction {
            Direction::Request => self.request_block(&block, &fields, fault, at, sink),
            Direction::Response => self.response_block(&block, &fields, fault, at, sink),
        }
    }

    /// Frames may be missing. Which streams they have ended cannot be known.
    fn lose(&mut self, direction: Direction, fault: Fault, at: Moment, sink: Sink<'_>) {
        sink(Event::Fault(fault));
        let half = self.half(direction);
        half.decoder.lose();
        (half.frame, half.block) = (None, None);
        match direction {
            Direction::Request => {
                self.whole = false;
                self.streams.values_mut().for_each(Stream::miss_request);
            }
            Direction::Response => self.abandon_all(Abandon::Loss, at, sink),
        }
    }

    /// The server takes no streams above this one: those are as if they had never been
    /// (RFC 9113 section 6.8).
    fn go_away(&mut self, last: u32, at: Moment, sink: Sink<'_>) {
        /// REFUSED_STREAM, which says the same of one stream.
        const REFUSED: u32 = 7;
        for (stream, mut refused) in self.streams.split_off(&last.saturating_add(1)) {
            refused.outcome.reset = Some(REFUSED);
            sink(Event::Ended { stream, at, outcome: Box::new(refused.outcome) });
        }
    }

    fn abandon_all(&mut self, why: Abandon, at: Moment, sink: Sink<'_>) {
        for (stream, left) in std::mem::take(&mut self.streams) {
            sink(Event::Abandoned { stream, at, why, outcome: Box::new(left.outcome) });
        }
    }

    /// A direction of a stream is over.
    pub(super) fn end_of(&mut self, direction: Direction, number: u32, at: Moment, sink: Sink<'_>) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        if direction == Direction::Request {
            if !std::mem::replace(&mut stream.request_over, true) {
                let body = stream.outcome.request_body;
                sink(Event::RequestEnded { stream: number, body });
            }
            return;
        }
        let outcome: Box<Outcome> = Box::new(std::mem::take(&mut stream.outcome));
        self.streams.remove(&number);
        sink(Event::Ended { stream: number, at, outcome });
    }
}
