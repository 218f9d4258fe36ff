//! Exchanges: a request with its response, and the two ends of it that two processes saw.

mod exchange;
mod key;
mod lane;
mod pairing;
mod stage;

pub use exchange::{Exchange, ExchangeId, Incomplete, Side};
pub use key::{ConnectionKey, PairKey, mix};
pub use stage::{Exchanges, Signal, info};
