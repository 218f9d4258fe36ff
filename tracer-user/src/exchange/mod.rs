//! Exchanges: a request with its response, and the two ends of it that two processes saw.

mod closing;
mod full;
mod incomplete;
mod key;
mod lane;
mod pairing;
mod reorder;
mod seals;
mod signal;
mod stage;
mod value;

pub use incomplete::{Incomplete, Reasons};
pub use key::{ConnectionKey, PairKey, mix};
pub(crate) use lane::{Heard, hear, recognise};
pub(crate) use reorder::{Held, Reorder, Waiting};
pub use signal::Signal;
pub use stage::Exchanges;
pub use value::{Exchange, ExchangeId, Sealed, Side};
