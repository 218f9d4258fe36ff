//! The balance of a run.

mod summary;

pub use summary::{summary, unread};
