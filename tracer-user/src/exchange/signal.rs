//! What the exchange stage tells.

use crate::connection::{Cookie, Moment};
use crate::protocol::propagation::{Context, Correlation};

use super::{ConnectionKey, Exchange, ExchangeId, PairKey, Side};

/// What the later stages hear of.
#[derive(Debug)]
pub enum Signal {
    /// The first byte of a request.
    Started {
        /// Its exchange.
        id: ExchangeId,
        /// This process's part.
        side: Side,
        /// By whom it was written or read.
        at: Moment,
        /// Names it at both ends.
        key: PairKey,
        /// Names its connection at both ends.
        connection: ConnectionKey,
        /// Its socket.
        cookie: Cookie,
        /// Its stream, where other requests may be under way on the connection. Whoever reads and
        /// writes on it does so for all of them: `at` tells little of who acted but the process.
        stream: Option<u32>,
        /// It stands for a whole connection whose plaintext is not had; told late, of a moment that is
        /// past.
        sealed: bool,
        /// This side's port; 0 if it was never told.
        port: u16,
    },
    /// This side opens an encrypted connection: an exchange may stand for it later.
    Opens {
        /// By whom the first byte was written.
        at: Moment,
        /// Its socket.
        cookie: Cookie,
    },
    /// This side sends a UDP socket's first datagram that is seen. Nothing tells who opened such a socket;
    /// most likely it is whoever uses it first. Told before what the datagram begins.
    Dials {
        /// By whom it was sent.
        at: Moment,
        /// Its socket.
        cookie: Cookie,
    },
    /// The other end of a connection whose plaintext is had at this one only.
    Carries {
        /// The first call over it.
        call: ExchangeId,
        /// What stands for all of it at the end that answers.
        server: ExchangeId,
    },
    /// An exchange that stood for a whole connection is none: its plaintext is had.
    Unsealed(ExchangeId),
    /// The request's head is whole; with the context that it carries.
    Head {
        /// Its exchange.
        id: ExchangeId,
        /// From its headers.
        context: Option<Box<Context>>,
        /// Ids in its headers that are no contexts.
        correlation: Correlation,
        /// Stands for what it asks for ([`RequestHead::asks_for`]).
        ///
        /// [`RequestHead::asks_for`]: crate::protocol::http1::RequestHead::asks_for
        target: Option<u64>,
    },
    /// This side read a part of the message that it waits for.
    Read {
        /// Its exchange.
        id: ExchangeId,
        /// By whom.
        at: Moment,
    },
    /// The first byte of the response.
    Replied {
        /// Its exchange.
        id: ExchangeId,
        /// By whom it was written or read.
        at: Moment,
    },
    /// An exchange is over.
    Ended(Box<Exchange>),
    /// The two ends of one exchange.
    Paired {
        /// The end that sent the request.
        client: ExchangeId,
        /// The end that answered.
        server: ExchangeId,
    },
    /// A connection stopped being HTTP and lives on.
    Left {
        /// Its socket.
        cookie: Cookie,
        /// This process's part until then.
        side: Side,
        /// The operation that did it.
        at: Moment,
    },
    /// What a process did here is left out, because a table is full.
    Refused {
        /// By whom.
        at: Moment,
    },
}
