//! HTTP/2 (RFC 9113) as a bystander sees it: one [`Engine`] for one connection, fed with what its
//! socket operations moved, tells where the requests and responses of its streams begin and end, and
//! what gRPC calls are among them.
//!
//! ```text
//! Chunk -> Window -> Reader (one a direction) -> frames -> Block -> hpack::Decoder -> Fields
//!                                                   \-> Engine (streams) -> Event
//! ```

mod block;
mod blocks;
mod content;
mod engine;
mod event;
#[cfg(test)]
mod floods;
mod frame;
mod gathered;
mod grpc;
mod heads;
pub mod hpack;
mod mask;
mod masking;
#[cfg(test)]
mod masking_tests;
mod prefixes;
mod reader;
mod sight;
mod streams;
pub(super) mod window;

pub use engine::Engine;
pub use event::{Abandon, Event, Fault, Outcome};
pub use grpc::{Messages, Rpc};
pub use masking::{Masked, Masking};
pub use sight::{Sight, sight};
