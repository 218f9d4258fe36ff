//! HTTP/1.0 and 1.1 as a bystander sees them: one [`Engine`] for one connection, fed with what its
//! socket operations moved, tells where requests and responses begin and end (RFC 9112).
//!
//! ```text
//! Chunk -> Window -> Reader (one a direction: head | body | seeking) -> Engine (queue) -> Event
//! ```

mod body;
mod chunked;
mod engine;
mod event;
mod framing;
mod head;
mod line;
mod mask;
mod masking;
mod mend;
mod opening;
mod parse;
mod part;
mod proxy;
mod queue;
mod reader;
mod reading;
mod requests;
mod responses;
mod tail;
mod tail_mask;
mod window;

pub use engine::{Engine, Limits};
pub use event::{Abandon, Direction, Event, Fault, Leave};
pub use framing::Framing;
pub use head::{Method, RequestHead, ResponseHead, Version};
pub(crate) use head::{cut, field};
pub use line::begins_request;
pub use masking::Masking;

#[cfg(test)]
mod tests;
