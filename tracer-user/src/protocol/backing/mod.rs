//! Backing services (databases, caches and brokers) as a bystander sees them: an [`Engine`] for each
//! connection is fed with what the socket's operations moved, and tells of each call when it began,
//! what it asks for, when the answer began and ended, and how it came out.
//!
//! ```text
//! Chunk -> Reader (one a direction): messages -> Dialect (one a protocol): calls -> Batches -> Event
//! ```
//!
//! A new protocol is one file with its [`Dialect`], and a line in [`System`].

mod amqp;
mod batches;
mod call;
mod dialect;
mod dns;
mod doubt;
mod engine;
mod kafka;
mod log;
mod memcached;
mod mongodb;
mod mysql;
mod postgresql;
mod reader;
mod redis;
mod sql;

pub use call::{Call, CallText, Conventions, Failure, Outcome, System, Text};
pub(in crate::protocol) use dialect::{Calls, Dialect, Found, Message, Split};
pub use engine::{Engine, Event, Fault, Settings};
pub use log::{Log, RecordBatch, Topic, TopicId};

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod testing;
