//! WebSocket (RFC 6455) as a bystander sees it: behind the 101 that begins it, a [`Conversation`] is
//! fed with what the socket's operations moved, counts the messages each way and tells when both sides
//! have said that they close. What is in the messages stays unread, so extensions that compress it
//! (RFC 7692) need not be understood.
//!
//! ```text
//! Chunk -> Window -> Reader (one a direction): header | payload | lost -> Tally
//! ```

mod conversation;
mod frame;
mod mask;
mod reader;

pub use conversation::{Conversation, Fault, is_upgrade};
pub(in crate::protocol) use mask::Mask;
pub use reader::Tally;

#[cfg(test)]
mod tests;
