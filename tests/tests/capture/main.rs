//! What the tracer sees of plain sockets, and how its command line behaves: the built binary, small
//! programs that know nothing of it, and what it writes.

mod attack;
mod before;
mod bpf;
mod calls;
mod choosing;
mod command;
mod framing;
mod heads;
mod hostile;
mod local;
mod losses;
mod other;
mod own_exports;
mod record;
mod record_http2;
mod run;
mod secrets;
mod server;

use tests::{exchanges as expect, export};
