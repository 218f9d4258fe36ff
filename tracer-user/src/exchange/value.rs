//! A request with its response, as one side saw it.

use crate::connection::{Address, Cookie, Info, Moment};
use crate::protocol::backing::{Call, Log, Outcome};
use crate::protocol::http1::{RequestHead, ResponseHead};
use crate::protocol::http2::Rpc;
use crate::protocol::tls::Version;
use crate::protocol::websocket::Tally;

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
    /// Its stream, if its connection carries several exchanges at once (HTTP/2).
    pub stream: Option<u32>,
    /// It was encrypted on its way.
    pub tls: bool,
    /// It went over UDP.
    pub datagrams: bool,
    /// Inode number of its network namespace; 0 if never told.
    pub netns: u32,
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
    /// The code with which either side ended the stream before its time (RFC 9113 section 7).
    pub reset: Option<u32>,
    /// What is known of it as a gRPC call, if it is one.
    pub rpc: Option<Box<Rpc>>,
    /// What is asked of a backing service; then it is no HTTP.
    pub call: Option<Box<Call>>,
    /// What that has answered.
    pub outcome: Option<Box<Outcome>>,
    /// It stands for a whole connection whose plaintext is not had.
    pub sealed: Option<Box<Sealed>>,
    /// What was said behind it, if it began a WebSocket connection: the client's part and the
    /// server's. The exchange is over when that is.
    pub websocket: Option<Box<[Tally; 2]>>,
    /// What is missing; empty if all of it was seen.
    pub incomplete: Reasons,
}

/// What an encrypted connection shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// By which name the client knows the server.
    pub server_name: Option<String>,
    /// Protocols that the client offers to speak inside, the best first.
    pub offered: Vec<String>,
    /// The one that the server has chosen; `None` if that was not told.
    pub protocol: Option<String>,
    /// Version of TLS.
    pub version: Option<Version>,
    /// Bytes that this side has sent and received, ciphertext and all; `None` while it is open.
    pub traffic: Option<(u64, u64)>,
}

impl Exchange {
    /// One of which the first byte is known. `info`: of its connection, as far as that was told.
    pub(crate) fn begin(
        (id, side, at): (ExchangeId, Side, Moment),
        (cookie, connection, key): (Cookie, ConnectionKey, PairKey),
        info: Option<&Info>,
        tls: bool,
    ) -> Self {
        Self {
            id,
            side,
            pid: at.pid,
            cookie,
            connection,
            key,
            stream: None,
            tls,
            datagrams: info.is_some_and(|info| info.datagrams),
            netns: info.map_or(0, |info| info.netns),
            local: info.map(|info| info.local.clone()),
            // Whom a socket of UDP asks is not known of every call's form.
            remote: info.filter(|info| !info.is_unnamed()).map(|info| info.remote.clone()),
            comm: info.map(|info| info.comm.clone()).unwrap_or_default(),
            started: at,
            replied: None,
            ended: at,
            request: None,
            response: None,
            request_body: 0,
            response_body: 0,
            reset: None,
            rpc: None,
            call: None,
            outcome: None,
            sealed: None,
            websocket: None,
            incomplete: Reasons::default(),
        }
    }

    /// What its answer tells of records.
    #[must_use]
    pub fn log(&self) -> Option<&Log> {
        self.outcome.as_ref()?.log.as_deref()
    }

    /// Whether it went over a unix socket.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        matches!(self.local, Some(Address::Unix(_)))
    }
}
