//! Where language runtimes keep which context of execution a thread is running.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Processes whose contexts are read at most.
pub const MAX_RUNTIMES: u32 = 16_384;
/// Steps of [`Runtime::path`].
pub const MAX_STEPS: usize = 4;

/// How the probes find the context that a thread of one process runs: from the thread pointer (x86's
/// fs base) on, each of the first `steps` numbers of `path` is added and the pointer there
/// followed; `context` is added to the last one.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct Runtime {
    /// [`crate::record::Flow::kind`] of its contexts.
    pub kind: u32,
    /// 1 to [`MAX_STEPS`]; 0 if it is not known where contexts are.
    pub steps: u32,
    /// Bytes.
    pub path: [i32; MAX_STEPS],
    /// Where the context's name is, u64: bytes from the last pointer.
    pub context: i32,
    /// The same for the name of the context that started it; 0 where the runtime keeps none.
    pub parent: i32,
    /// Of `FLOW_PROMISE`, which has no `context` and `parent`.
    pub v8: V8,
}

/// What the probes have to know of V8 where [`Runtime::path`] leads to the queue of microtasks of the
/// thread's isolate. Instance types as in `Map.instance_type`; they differ from
/// version to version, and V8 publishes them in its own binary (`v8dbg_type_*`).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct V8 {
    /// `JSAsyncFunctionObject`.
    pub async_function: u16,
    /// `JSPromise`.
    pub promise: u16,
    /// `PromiseFulfillReactionJobTask`.
    pub fulfilled: u16,
    /// `PromiseRejectReactionJobTask`.
    pub rejected: u16,
}

/// Items in Python's queues that are remembered.
pub const MAX_QUEUED: u32 = 16_384;
/// Python contexts of which it is remembered who made them, until they act.
pub const MAX_COPIES: u32 = 65_536;
/// Python threads that make tasks, or work for others, at the same time.
pub const MAX_TASK_THREADS: u32 = 4096;
/// The attach cookie of a probe on `_asyncio.Task.__init__` holds the address of `PyContext_Type` in
/// so many bits (user space has 47), and above it how many bytes from a task's beginning on it names
/// its context.
pub const PYTHON_TYPE_BITS: u32 = 48;
