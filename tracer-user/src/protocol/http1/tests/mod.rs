//! The engine as a whole.

mod conversation;
mod corpus;
mod differential;
mod framing;
mod loss;
mod masking;
mod messages;
mod random;
mod tail;

use conversation::Conversation;
