//! What header blocks mean for the streams.

use super::block::Block;
use super::engine::{Engine, Sink};
use super::event::{Abandon, Event, Fault};
use super::heads::Fields;
use super::hpack::Field;
use super::streams::{MAX_STREAMS, Stream};
use crate::connection::Moment;
use crate::protocol::http1::Direction;

impl Engine {
    /// A block of the request direction: a request's head, or its trailers.
    pub(super) fn request_block(
        &mut self,
        block: &Block,
        fields: &[Field],
        fault: Option<Fault>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        let number = block.stream;
        let fields = Fields(fields);
        // Clients open odd streams, each with a higher number than the one before (RFC 9113
        // section 5.1.1).
        let new = number % 2 == 1 && number > self.highest;
        // Of a connection met in the middle, it may be the trailers of an earlier request.
        if new && (self.whole || fields.may_be_request()) {
            self.open(block, &fields, fault, sink);
        }
        if block.ends_stream {
            self.end_of(Direction::Request, number, at, sink);
        }
    }

    fn open(&mut self, block: &Block, fields: &Fields<'_>, fault: Option<Fault>, sink: Sink<'_>) {
        let number = block.stream;
        self.highest = number;
        if self.streams.len() >= MAX_STREAMS
            && let Some((oldest, left)) = self.streams.pop_first()
        {
            sink(Event::Fault(Fault::TooManyStreams));
            let (why, outcome) = (Abandon::Full, Box::new(left.outcome));
            sink(Event::Abandoned { stream: oldest, at: block.at, why, outcome });
        }
        let mut stream = Stream::default();
        stream.outcome.fault = fault;
        stream.outcome.rpc = fields.rpc();
        self.streams.insert(number, stream);
        sink(Event::RequestStarted { stream: number, at: block.at });
        let head = fields.request(self.limits.max_target);
        let known = !head.method.as_str().is_empty() && !head.target.is_empty();
        if !known && fault.is_none() && head.method.as_str() != "CONNECT" {
            sink(Event::Fault(Fault::FieldUnknown));
        }
        if known || fault.is_none() {
            sink(Event::RequestHead(number, Box::new(head)));
        }
    }

    /// A block of the response direction: an interim or the final head, or trailers.
    pub(super) fn response_block(
        &mut self,
        block: &Block,
        fields: &[Field],
        fault: Option<Fault>,
        at: Moment,
        sink: Sink<'_>,
    ) {
        let (number, whole) = (block.stream, self.whole);
        let fields = Fields(fields);
        let Some(stream) = self.streams.get_mut(&number) else {
            if whole && number % 2 == 1 && number > self.highest {
                sink(Event::Fault(Fault::StreamUnknown));
            }
            return;
        };
        let status = fields.status();
        if status.is_some_and(|status| status < 200) && !block.ends_stream {
            return;
        }
        if !std::mem::replace(&mut stream.replied, true) {
            sink(Event::ResponseStarted { stream: number, at: block.at });
            match status {
                Some(status) => {
                    sink(Event::ResponseHead(number, Box::new(fields.response(status))));
                }
                None if fault.is_none() => sink(Event::Fault(Fault::FieldUnknown)),
                None => {}
            }
        }
        stream.answered(fields.rpc(), fields.grpc_status());
        fault.into_iter().for_each(|fault| stream.hit(fault));
        if block.ends_stream {
            self.end_of(Direction::Response, number, at, sink);
        }
    }
}
