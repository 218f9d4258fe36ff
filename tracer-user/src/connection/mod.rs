//! Connections: what one process sees of one socket, and where in its two byte streams each
//! operation lies.

mod address;
mod moment;
mod stream;
mod table;
mod unseen;

pub use address::Address;
pub use moment::{Chunk, Cookie, Moment};
pub use stream::Stream;
pub use table::{Bases, Connection, Connections, Info};
pub use unseen::{Ends, Unseen};
