//! Every way to move HTTP over a socket, by small programs that do nothing else: what was moved is
//! known, and has to be found on both sides, to the byte.

mod calls;
mod conversation;
mod files;
mod mover;
mod namespaces;
mod sharing;
mod unix;
mod uring;
