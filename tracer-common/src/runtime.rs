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
    /// Of `FLOW_TASK`, which has no `path`, `context` and `parent`.
    pub tokio: Tokio,
    /// Of `FLOW_FUTURE`, the same.
    pub jvm: Jvm,
}

impl Runtime {
    /// Whether it is known where contexts are.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.steps > 0 || self.tokio.waker != 0 || self.jvm.matters()
    }
}

impl Jvm {
    /// Whether there is something to look for.
    #[must_use]
    #[inline(always)]
    pub fn matters(&self) -> bool {
        self.future != 0 || self.task != 0 || self.virtual_thread != 0
    }
}

/// What the probes have to know of a Java virtual machine to follow its `CompletableFuture`s.
/// Addresses, and bytes from the beginning of a structure or an object.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct Jvm {
    /// Where objects are.
    pub heap_start: u64,
    /// Where they end.
    pub heap_end: u64,
    /// What a compressed pointer to an object is added to.
    pub object_base: u64,
    /// The same, to a class.
    pub class_base: u64,
    /// By how many bits a compressed pointer to an object is shifted before.
    pub object_shift: u32,
    /// The same, to a class.
    pub class_shift: u32,
    /// Where the number of garbage collections is, u32.
    pub collections: u64,
    /// The class `CompletableFuture`; 0 if it is not loaded.
    pub future: u64,
    /// `FutureTask`: what an executor was asked to do; 0 if it is not loaded.
    pub task: u64,
    /// `CompletableFuture.UniCompletion`: something that waits for one future or two; 0 if it is not
    /// loaded.
    pub single: u64,
    /// `CompletableFuture.CoCompletion`: the second part of what waits for two; 0 if it is not
    /// loaded.
    pub pair: u64,
    /// `CompletableFuture.Signaller`: a thread that waits; 0 if it is not loaded.
    pub waiter: u64,
    /// `Klass._primary_supers`: the class's ancestors, by their generation.
    pub supers: u32,
    /// `CompletableFuture.stack`: the first that waits for it.
    pub stack: u32,
    /// `Completion.next`: the next one.
    pub next: u32,
    /// `UniCompletion.dep`: the future that it completes.
    pub dependent: u32,
    /// `CoCompletion.base`: the other part.
    pub base: u32,
    /// `Signaller.thread`.
    pub thread: u32,
    /// `FutureTask.waiters`: the first thread that waits for it.
    pub waiters: u32,
    /// `FutureTask.WaitNode.thread`.
    pub waiters_thread: u32,
    /// `java.lang.Thread.eetop`: its `JavaThread`.
    pub eetop: u32,
    /// `JavaThread._anchor._last_Java_sp`: where its stack ends while it waits.
    pub stack_end: u32,
    /// `JavaThread._osthread`.
    pub osthread: u32,
    /// `OSThread._thread_id`: the number by which the kernel knows it, u32.
    pub thread_id: u32,
    /// Compressed pointer to the class `SocketTube` of `java.net.http`; 0 if it is not known.
    pub connection: u32,
    /// `SocketTube.channel`.
    pub channel: u32,
    /// `SocketChannelImpl.fdVal`: its file descriptor, u32.
    pub descriptor: u32,
    /// Compressed pointer to the class `Http1AsyncReceiver.Http1TubeSubscriber`.
    pub subscriber: u32,
    /// Fields on the way from a connection, through its subscriber, to the future of its response:
    /// `readPublisher`, `subscription`, `subscriber`, `this$0`, `owner`, `response`,
    /// `headersReader`, `cf`.
    pub way: [u32; 8],
    /// Compressed pointer to the class `VirtualThread`; 0 if it is not known.
    pub virtual_thread: u32,
    /// `VirtualThread.carrierThread`.
    pub carrier: u32,
    /// `java.lang.Thread.tid`, u64.
    pub thread_number: u32,
    /// Always 0.
    pub reserved: u32,
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

/// What waits for what that the probes can follow in one process: see [`Wait`].
pub const MAX_WAITS: usize = 4;
/// What leads nowhere.
pub const NO_POINTER: u32 = u32::MAX;

/// What the probes have to know of tokio in one process, in which they find the task that waits for a
/// socket, and from there on the one that waits for that. A waker is two words: a table of functions,
/// by which tokio's own are known, and the task.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct Tokio {
    /// Address of the table of functions of tokio's wakers; 0 while nothing is known.
    pub waker: u64,
    /// From what a socket is registered with in epoll to the waker of the task that reads it, bytes.
    pub reader: u32,
    /// Where a task's own table of functions says how far from the task its trailer is, bytes.
    pub trailer: u32,
    /// From the trailer to the waker of who waits for the end of this task.
    pub join: u32,
    /// Always 0.
    pub reserved: u32,
    /// Those not used are zero.
    pub waits: [Wait; MAX_WAITS],
}

/// How what works for others leads to the waker of who waits for it: by one or two pointers. That is the
/// task of a client's connection, and behind the pointers is the channel of one value
/// (`tokio::sync::oneshot`) through which it will answer; or what another library's wakers wake (a set
/// of futures), and behind the pointers is what the set has of the task that polls it.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable,
)]
pub struct Wait {
    /// Address of the table of functions of such tasks or wakers.
    pub table: u64,
    /// From the task, or what is woken, to the first pointer, bytes.
    pub first: u32,
    /// From there to the second one; [`NO_POINTER`]: there is none.
    pub second: u32,
    /// From there to the waker.
    pub waker: u32,
    /// From there to the channel's state, u64; [`NO_POINTER`] where there is none.
    pub state: u32,
}

/// Processes at a time of which it is noted that they wrote a request, and not found who waits for it.
pub const MAX_UNFOLLOWED: u32 = 1024;

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
