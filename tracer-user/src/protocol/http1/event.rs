//! What the engine says.

use super::head::{RequestHead, ResponseHead};
use crate::connection::Moment;

/// Which of a connection's two byte streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the HTTP client to the HTTP server.
    Request,
    /// From the HTTP server to the HTTP client.
    Response,
}

/// Something that the engine found out.
///
/// `RequestHead` and `RequestEnded` speak of the request that started last; every `RequestStarted`
/// is followed by exactly one `RequestEnded` before the next `RequestStarted` (the last one at the
/// latest by [`super::Engine::close`]). `ResponseStarted`, `ResponseHead`, `ResponseEnded` and
/// `Abandoned` speak of the oldest request that has had neither `ResponseEnded` nor `Abandoned`,
/// and each request gets exactly one of these two. A response may end before its request does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request begins. Should its head turn out not to be one, `RequestEnded` follows without
    /// `RequestHead`.
    RequestStarted {
        /// The operation with its first byte.
        at: Moment,
        /// That byte's position in its direction's stream.
        position: u64,
    },
    /// Its head is complete with this operation; or its end can't be seen, and this is what is
    /// known of it (then a [`Event::Fault`] comes before).
    RequestHead(Box<RequestHead>, Moment),
    /// It is over.
    RequestEnded {
        /// The operation with its last byte.
        at: Moment,
        /// Bytes of content, see [`Event::ResponseEnded`].
        body: u64,
        /// Its end was seen where its framing has it.
        complete: bool,
        /// What went wrong on the way, see [`Event::ResponseEnded`].
        fault: Option<Fault>,
    },
    /// A final response begins (interim ones are passed over). Told when its status is known, just
    /// before `ResponseHead`.
    ResponseStarted {
        /// The operation with its first byte.
        at: Moment,
    },
    /// Its head is complete with this operation.
    ResponseHead(Box<ResponseHead>, Moment),
    /// It is over.
    ResponseEnded {
        /// The operation with its last byte.
        at: Moment,
        /// Bytes of content; of a chunked body from where its chunks could no longer be followed,
        /// the encoded bytes.
        body: u64,
        /// Its end was seen where its framing has it.
        complete: bool,
        /// What went wrong on the way: why it is not complete, if the bytes are to blame, or why
        /// its size is not sure.
        fault: Option<Fault>,
    },
    /// What was last told to have ended went on: its end was body data that looks like an end
    /// ([`Fault::ChunkedEndMistaken`]). This is its true end.
    Extended {
        /// Which direction's message.
        direction: Direction,
        /// The operation with its last byte.
        at: Moment,
        /// All its bytes, as in [`Event::ResponseEnded`].
        body: u64,
    },
    /// No response to the oldest unanswered request will be told.
    Abandoned {
        /// When that was decided.
        at: Moment,
        /// Why.
        why: Abandon,
    },
    /// HTTP/1 ended on this connection; the engine ignores what follows.
    Left(Leave),
    /// Something to count.
    Fault(Fault),
}

/// Why a request gets no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandon {
    /// Bytes are missing, so that its response cannot be told from others.
    Loss,
    /// Its response could not be read.
    Unreadable(Fault),
    /// The connection ended before its response began.
    Closed,
    /// The connection stopped being HTTP/1 before its response began.
    Left,
}

/// Why HTTP/1 ended on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// `101 Switching Protocols` (RFC 9110 section 7.8).
    Upgrade,
    /// The same to a request for WebSocket (RFC 6455 section 4).
    WebSocket,
    /// 2xx to CONNECT (RFC 9110 section 9.3.6).
    Tunnel,
    /// More unanswered requests than [`super::Limits::max_pending`].
    TooDeep,
}

/// Something that went wrong, for the caller to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Not a request head.
    RequestHead,
    /// Not a response head.
    ResponseHead,
    /// Head longer than [`super::Limits::max_head`].
    HeadTooLong,
    /// More fields than [`super::Limits::max_headers`].
    TooManyHeaders,
    /// A part of a head was not copied.
    HeadUnseen,
    /// A message begins, or may begin, among bytes that were not copied.
    MessageStartUnseen,
    /// Operations are missing, and with them the place in the message.
    Gap,
    /// Content-Length is not a number, or several disagree (RFC 9112 section 6.3).
    ContentLength,
    /// A request whose Transfer-Encoding does not end in chunked (RFC 9112 section 6.3).
    TransferEncoding,
    /// Malformed chunk (RFC 9112 section 7.1).
    Chunk,
    /// An end seen in the last bytes of an operation was none.
    ChunkedEndMistaken,
    /// A chunked body's end was missed; the next message showed it.
    ChunkedEndMissed,
    /// A response to a request that was not seen.
    ResponseUnmatched,
    /// A PROXY protocol header that breaks off or is malformed.
    ProxyPrefix,
    /// More unanswered requests than [`super::Limits::max_pending`].
    TooManyPending,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 15] = [
        Fault::RequestHead,
        Fault::ResponseHead,
        Fault::HeadTooLong,
        Fault::TooManyHeaders,
        Fault::HeadUnseen,
        Fault::MessageStartUnseen,
        Fault::Gap,
        Fault::ContentLength,
        Fault::TransferEncoding,
        Fault::Chunk,
        Fault::ChunkedEndMistaken,
        Fault::ChunkedEndMissed,
        Fault::ResponseUnmatched,
        Fault::ProxyPrefix,
        Fault::TooManyPending,
    ];

    /// The name under which it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::RequestHead => "request_head",
            Fault::ResponseHead => "response_head",
            Fault::HeadTooLong => "head_too_long",
            Fault::TooManyHeaders => "too_many_headers",
            Fault::HeadUnseen => "head_unseen",
            Fault::MessageStartUnseen => "message_start_unseen",
            Fault::Gap => "gap",
            Fault::ContentLength => "content_length",
            Fault::TransferEncoding => "transfer_encoding",
            Fault::Chunk => "chunk",
            Fault::ChunkedEndMistaken => "chunked_end_mistaken",
            Fault::ChunkedEndMissed => "chunked_end_missed",
            Fault::ResponseUnmatched => "response_unmatched",
            Fault::ProxyPrefix => "proxy_prefix",
            Fault::TooManyPending => "too_many_pending",
        }
    }
}
