//! Connections: what one process sees of one socket, and where in its two byte streams each
//! operation lies.

mod address;
mod info;
mod moment;
mod stream;
mod table;
mod unseen;

pub use address::Address;
pub use info::{Info, text};
pub use moment::{Chunk, Cookie, Flow, Moment};
pub use stream::Stream;
pub use table::{Bases, Connection, Connections};
pub use unseen::{Ends, Unseen};
