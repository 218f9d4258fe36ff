//! Terminal views of a running tracer: a live table of services and routes, and one trace as a
//! waterfall. They ask the tracer's own page for what they show, so they need no rights of their own
//! beyond its token.

mod server;
mod top;
mod trace;
mod wire;

pub use server::{Format, Reach};
pub use top::top;
pub use trace::trace;
