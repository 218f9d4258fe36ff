//! Exchanges: a request with its response, and the two ends of it that two processes saw.

mod key;
mod lane;
mod pairing;
mod reorder;
mod stage;
mod value;

pub use key::{ConnectionKey, PairKey, mix};
pub(crate) use lane::side;
pub(crate) use reorder::{Held, Reorder, Waiting};
pub use stage::{Exchanges, Signal, info, text};
pub use value::{Exchange, ExchangeId, Incomplete, Side};
