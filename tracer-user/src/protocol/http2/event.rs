//! What the engine says.

use super::grpc::Rpc;
use crate::connection::Moment;
use crate::protocol::http1::{RequestHead, ResponseHead};

/// Something that the engine found out. Each `RequestStarted` is followed by exactly one `Ended` or
/// `Abandoned` of its stream (by [`super::Engine::close`] at the latest), the other events of the
/// stream, each at most once, come between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request begins; told when its header block is read.
    RequestStarted {
        /// Its stream.
        stream: u32,
        /// The operation with the first byte of its first frame.
        at: Moment,
    },
    /// What is known of its head; not told if nothing is.
    RequestHead(u32, Box<RequestHead>),
    /// Its last frame has come.
    RequestEnded {
        /// Its stream.
        stream: u32,
        /// Bytes of content.
        body: u64,
    },
    /// A final response begins.
    ResponseStarted {
        /// Its stream.
        stream: u32,
        /// The operation with the first byte of its first frame.
        at: Moment,
    },
    /// Its head.
    ResponseHead(u32, Box<ResponseHead>),
    /// The response is over, or the stream is.
    Ended {
        /// The stream.
        stream: u32,
        /// The operation with the last byte.
        at: Moment,
        /// The whole of it.
        outcome: Box<Outcome>,
    },
    /// No more will be told of a stream.
    Abandoned {
        /// The stream.
        stream: u32,
        /// When that was decided.
        at: Moment,
        /// Why.
        why: Abandon,
        /// What is known of it.
        outcome: Box<Outcome>,
    },
    /// Something to count.
    Fault(Fault),
}

/// What is known of a stream at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Bytes of the request's content so far.
    pub request_body: u64,
    /// Bytes of the response's.
    pub response_body: u64,
    /// The code with which either side reset the stream (RFC 9113 section 7).
    pub reset: Option<u32>,
    /// What went wrong on the way.
    pub fault: Option<Fault>,
    /// If it is a gRPC call.
    pub rpc: Option<Rpc>,
}

/// Why no more is told of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandon {
    /// Frames are missing, and its end may be among them.
    Loss,
    /// The connection ended first.
    Closed,
    /// There are too many.
    Full,
}

/// Something that went wrong, for the caller to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The client's first bytes are not those that they have to be.
    Preface,
    /// No frame where one had to begin.
    FrameHeader,
    /// A frame begins, or may begin, among bytes that are not known.
    FrameUnseen,
    /// A part of a header block is not known, or the block is interrupted.
    HeaderBlockUnseen,
    /// A header block is longer than is read.
    HeaderBlockTooLong,
    /// A header block that is none (RFC 7541).
    HeaderBlock,
    /// A request's method or path, or a response's status, is in the part of the dynamic table that
    /// is not known.
    FieldUnknown,
    /// A response to a request that was not seen.
    StreamUnknown,
    /// More open streams than are followed.
    TooManyStreams,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 9] = [
        Fault::Preface,
        Fault::FrameHeader,
        Fault::FrameUnseen,
        Fault::HeaderBlockUnseen,
        Fault::HeaderBlockTooLong,
        Fault::HeaderBlock,
        Fault::FieldUnknown,
        Fault::StreamUnknown,
        Fault::TooManyStreams,
    ];

    /// The name under which it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::Preface => "h2_preface",
            Fault::FrameHeader => "h2_frame_header",
            Fault::FrameUnseen => "h2_frame_unseen",
            Fault::HeaderBlockUnseen => "h2_header_block_unseen",
            Fault::HeaderBlockTooLong => "h2_header_block_too_long",
            Fault::HeaderBlock => "h2_header_block",
            Fault::FieldUnknown => "h2_field_unknown",
            Fault::StreamUnknown => "h2_stream_unknown",
            Fault::TooManyStreams => "h2_too_many_streams",
        }
    }
}
