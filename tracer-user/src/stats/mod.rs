//! The balance of a run: while it lasts, and at its end.

mod summary;
mod vitals;

pub use summary::{summary, unread};
pub use vitals::{Tally, Vitals};
