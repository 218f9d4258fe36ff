//! A request with its response, as one side saw it.

use crate::connection::{Address, Cookie, Moment};
use crate::protocol::http1::{RequestHead, ResponseHead};

use super::Reasons;
use super::key::{ConnectionKey, PairKey};

/// Number of an exchange, counted from the tracer's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);

/// Which side of an exchange a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// It sent the request.
    Client,
    /// It answered.
    Server,
}

impl Side {
    /// The peer's.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// A request with its response, as one side saw it.
#[derive(Debug)]
pub struct Exchange {
    /// Its number.
    pub id: ExchangeId,
    /// The process's part.
    pub side: Side,
    /// The process that read or wrote the request's first byte.
    pub pid: u32,
    /// The socket.
    pub cookie: Cookie,
    /// The connection, named alike at both ends.
    pub connection: ConnectionKey,
    /// The exchange, named alike at both ends.
    pub key: PairKey,
    /// This side's end; `None` if never told.
    pub local: Option<Address>,
    /// The other side's.
    pub remote: Option<Address>,
    /// Name of the first thread that used the connection.
    pub comm: String,
    /// The request's first byte.
    pub started: Moment,
    /// The response's first byte.
    pub replied: Option<Moment>,
    /// The response's last byte, or when it became clear that there is none.
    pub ended: Moment,
    /// The request's head, if it was whole and well formed.
    pub request: Option<Box<RequestHead>>,
    /// The response's head.
    pub response: Option<Box<ResponseHead>>,
    /// Bytes of the request's body.
    pub request_body: u64,
    /// Bytes of the response's body.
    pub response_body: u64,
    /// What is missing; empty if all of it was seen.
    pub incomplete: Reasons,
}

impl Exchange {
    /// Whether it went over a unix socket.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        matches!(self.local, Some(Address::Unix(_)))
    }
}
