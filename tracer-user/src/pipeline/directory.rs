//! What the pipeline asks about processes, and what it says of them.

use std::sync::Arc;

use crate::trace::Resource;

/// Who processes are.
pub trait Directory {
    /// The resource of a process, or of what it was at `now`.
    fn resource(&mut self, pid: u32, now: u64) -> Arc<Resource>;
    /// First sight of a process that speaks HTTP, while it most likely still runs: the time to look
    /// at it. `comm` is the name of a thread of it, for want of better.
    fn meet(&mut self, pid: u32, comm: &str, now: u64);
    /// The process uses a connection that another one used before; told before it is met.
    fn takes_over(&mut self, pid: u32, from: u32);
    /// The process has opened or accepted a connection that carries TLS.
    fn speaks_tls(&mut self, pid: u32);
    /// The process answers requests on this port.
    fn serves(&mut self, pid: u32, port: u16);
    /// The process runs another program now, whose file has this name (of which 15 bytes are known).
    fn exec(&mut self, pid: u32, program: &str);
    /// The process has ended.
    fn exit(&mut self, pid: u32, now: u64);
    /// Whether the process is to be traced; `None` if no process is ever left out.
    fn wanted(&mut self, pid: u32, now: u64) -> Option<bool>;
}

/// What the kernel side is to do with a process from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Trace it, or leave it out.
    Known {
        /// Trace it.
        wanted: bool,
    },
    /// It has ended; its number may mean another process soon.
    Ended,
}
