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
        /// This side's port; 0 if it was never told.
        port: u16,
    },
    /// The request's head is whole; with the context that it carries.
    Head {
        /// Its exchange.
        id: ExchangeId,
        /// From its headers.
        context: Option<Box<Context>>,
        /// Ids in its headers that are no contexts.
        correlation: Correlation,
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
    /// A connection stopped being HTTP/1 and lives on.
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
