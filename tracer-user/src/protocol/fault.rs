//! What any protocol's engine objects to.

use super::{backing, http1, http2, websocket};

/// Something that went wrong, for the caller to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// On an HTTP/1 connection, or one that has not shown yet what it is.
    Http1(http1::Fault),
    /// On an HTTP/2 connection.
    Http2(http2::Fault),
    /// On a WebSocket connection.
    WebSocket(websocket::Fault),
    /// On a connection to a backing service.
    Backing(backing::Fault),
}

impl Fault {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::Http1(fault) => fault.name(),
            Fault::Http2(fault) => fault.name(),
            Fault::WebSocket(fault) => fault.name(),
            Fault::Backing(fault) => fault.name(),
        }
    }

    /// The beginning of a message may have gone unseen.
    #[must_use]
    pub fn hides_messages(self) -> bool {
        match self {
            Fault::Http1(fault) => matches!(
                fault,
                http1::Fault::HeadUnseen | http1::Fault::MessageStartUnseen | http1::Fault::Gap
            ),
            Fault::Http2(fault) => matches!(
                fault,
                http2::Fault::Preface | http2::Fault::FrameHeader | http2::Fault::FrameUnseen
            ),
            // No request can be among them.
            Fault::WebSocket(_) | Fault::Backing(_) => false,
        }
    }
}

impl From<http1::Fault> for Fault {
    fn from(fault: http1::Fault) -> Self {
        Fault::Http1(fault)
    }
}

impl From<http2::Fault> for Fault {
    fn from(fault: http2::Fault) -> Self {
        Fault::Http2(fault)
    }
}

impl From<backing::Fault> for Fault {
    fn from(fault: backing::Fault) -> Self {
        Fault::Backing(fault)
    }
}

impl From<websocket::Fault> for Fault {
    fn from(fault: websocket::Fault) -> Self {
        Fault::WebSocket(fault)
    }
}
