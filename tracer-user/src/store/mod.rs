//! The last traces, kept on this host: an embedded database of finished spans, bounded by size and
//! by age. docs/store.md tells why it is made as it is, and what it costs.
//!
//! ```text
//! put -> queue -> writer thread: tail of the newest segment -> blocks -> oldest segments removed
//!          |                                 |
//!          +-- full: dropped, counted        +-- readers, on any thread: find, trace, services, ...
//! ```

mod block;
mod counters;
mod directory;
mod error;
mod find;
mod found;
mod handle;
mod limits;
mod lists;
mod pieces;
mod query;
mod queue;
mod segment;
mod shelf;
mod snapshot;
mod state;
mod whole;
mod writer;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use error::OpenError;
pub use found::{Findings, Found};
pub use handle::{Stats, Store};
pub use limits::Limits;
pub use lists::Dependency;
pub use query::Query;
pub use snapshot::Snapshot;
pub use whole::{Trace, Whole};
