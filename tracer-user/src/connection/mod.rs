//! Connections: what one process sees of one socket, and where in its two byte streams each
//! operation lies.

mod moment;

pub use moment::{Chunk, Cookie, Moment};
