//! `tracer explain`: replays a recording and says of each edge which witness said what, and why the
//! decision fell so.

mod call;
mod command;
mod json;
mod reason;
mod story;
mod summary;
mod text;
mod witnesses;

pub use command::explain;
