//! Which flow of execution acts: what the current task can be told by without asking it anything.

use aya_ebpf::{helpers::generated::bpf_get_current_task_btf, macros::map, maps::HashMap};
use tracer_common::{
    head::Start,
    record::{FLOW_CONNECTION, FLOW_FUTURE, FLOW_PROMISE, FLOW_PYTHON, FLOW_TASK, Flow, Header},
    runtime::{MAX_RUNTIMES, MAX_STEPS, Runtime, Tokio},
};

use crate::{
    future,
    kernel::{Found, file_of, peek_user, task_sleeps, task_thread_pointer},
    nginx,
    operation::Direction,
    promise, python,
    ring::{Scratch, scratch},
    tokio, work,
};

/// Process -> where its runtime keeps contexts; filled by user space.
#[map]
static RUNTIMES: HashMap<u32, Runtime> = HashMap::with_max_entries(MAX_RUNTIMES, 0);

/// Notes in the record in this scratch memory who acts, and where a message begins, for whom. `sock`:
/// address of the connection's `struct sock`, of which the header has the cookie. `owner`: of the
/// connection, see [`message`].
#[inline(always)]
pub(crate) fn acts(
    scratch: &mut Scratch,
    owner: &mut u64,
    index: u32,
    start: u32,
    direction: Direction,
    sock: u64,
) {
    // What is read from a map is a plain number, which the address of a socket is not.
    (scratch.owner, scratch.sock) = (*owner, sock);
    note_flow(index, start, (direction == Direction::Send).into());
    *owner = scratch.owner;
}

/// A function that others could link to: the verifier looks at such a one once, not for each way that
/// leads to it, and what comes after it once, not for each way through it.
#[unsafe(no_mangle)]
#[inline(never)]
pub(crate) extern "C" fn note_flow(index: u32, start: u32, sends: u32) -> u32 {
    let Some(scratch) = scratch(index) else { return 0 };
    // SAFETY: this processor's, for this direction, or nobody else's: see `SCRATCH`; its caller does
    // not go on with it before this returns.
    let Scratch { data, owner, sock, .. } = unsafe { &mut *scratch };
    let Header { pid, cookie, time, .. } = data.header;
    let direction = if sends != 0 { Direction::Send } else { Direction::Receive };
    current(pid, direction, &mut data.flow);
    if sends == 0 && start == Start::Request as u32 {
        reads(pid, time);
    }
    if sends != 0 && start == Start::Response as u32 {
        answers(pid);
    }
    let file = || file_of(Found { address: *sock, cookie });
    message(pid, file, owner, start, direction, &mut data.flow);
    0
}

/// Notes what the current task of a process runs as it sends (or connects) or receives, before it acts.
#[inline(always)]
pub(crate) fn current(pid: u32, direction: Direction, flow: &mut Flow) {
    peek(pid, direction, flow);
    if flow.kind == FLOW_PYTHON {
        python::tell(pid, flow.context);
    }
}

/// Of what kind the contexts of a process are: `FLOW_*`.
#[inline(always)]
pub(crate) fn kind(pid: u32) -> u32 {
    // SAFETY: as in `peek`.
    unsafe { RUNTIMES.get(pid) }.map_or(0, |runtime| runtime.kind)
}

/// Notes what the current task of a process runs.
#[inline(always)]
pub(crate) fn peek(pid: u32, direction: Direction, flow: &mut Flow) {
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task_btf() } as *const u8;
    *flow = Flow { sleeps: task_sleeps(task) as u32, ..NOBODY };
    // SAFETY: the map's values are replaced as a whole, and a torn one only misleads reads that may
    // fail anyway.
    if let Some(runtime) = unsafe { RUNTIMES.get(pid) } {
        let Some(base) = follow(runtime, task_thread_pointer(task)) else { return };
        if runtime.kind == FLOW_PROMISE {
            flow.context = promise::context(&runtime.v8, base, direction).unwrap_or(0);
            flow.kind = if flow.context != 0 { FLOW_PROMISE } else { 0 };
            return;
        }
        if runtime.steps != 0 {
            flow.context = peek_user(base.wrapping_add(runtime.context as u64)).unwrap_or(0);
        }
        if runtime.kind == FLOW_PYTHON && direction == Direction::Send {
            work(flow);
        }
        if flow.context != 0 {
            flow.kind = runtime.kind;
            if runtime.parent != 0 {
                flow.parent = peek_user(base.wrapping_add(runtime.parent as u64)).unwrap_or(0);
            }
        }
    }
}

/// Notes which task or future answers, for which one another asks, or which client's connection is
/// served, where a message is sent or received that begins with `start` and these tell. A connection,
/// whose `struct file` is asked for where it matters, has one task of its own.
#[inline(always)]
fn message(
    pid: u32,
    file: impl Fn() -> u64,
    owner: &mut u64,
    start: u32,
    direction: Direction,
    flow: &mut Flow,
) {
    let response = start == Start::Response as u32;
    let sends = direction == Direction::Send;
    if !(response || start == Start::Request as u32) {
        return;
    }
    // SAFETY: as in `peek`.
    let Some(runtime) = (unsafe { RUNTIMES.get(pid) }) else { return };
    let found = match runtime.kind {
        FLOW_FUTURE if runtime.jvm.matters() => {
            let end = match (sends, response) {
                (true, _) => future::sends(&runtime.jvm, response),
                (false, true) => future::hears(&runtime.jvm),
                (false, false) => None,
            };
            // One that is not known is no other's, either.
            Some(end.and_then(|end| future::name(&runtime.jvm, end)).unwrap_or(0))
        }
        FLOW_CONNECTION => nginx::client(file()),
        FLOW_TASK => task(pid, &runtime.tokio, &file, owner, sends, response),
        _ => None,
    };
    if let Some(context) = found {
        (flow.context, flow.kind) = (context, runtime.kind);
    }
}

/// The task that answers or, for requests, the one for which another task asks.
#[inline(always)]
fn task(
    pid: u32,
    tokio: &Tokio,
    file: &impl Fn() -> u64,
    owner: &mut u64,
    sends: bool,
    response: bool,
) -> Option<u64> {
    if tokio.waker == 0 {
        // Nothing is known yet: somebody may be seen to wait now.
        if sends && !response {
            tokio::note(pid);
        }
        return None;
    }
    if sends {
        *owner = tokio::owner(tokio, file()).unwrap_or(0);
    }
    if *owner == 0 {
        None
    } else if response == sends {
        Some(*owner)
    } else {
        tokio::asking(pid, tokio, *owner)
    }
}

/// Notes for whom the current thread works, if another thread asked it to.
#[inline(always)]
fn work(flow: &mut Flow) {
    let Some(work) = work::current() else { return };
    if work.hops == 0 {
        return;
    }
    if work.context == 0 {
        (flow.origin, flow.hops) = (work.origin, work.hops as u32);
    } else if flow.context == 0 {
        flow.context = work.context;
    } else {
        flow.parent = work.context;
    }
}

/// Notes that the current task of a process has read the beginning of a request.
#[inline(always)]
fn reads(pid: u32, time: u64) {
    // SAFETY: as in `current`.
    if unsafe { RUNTIMES.get(pid) }.is_some_and(|runtime| runtime.kind == FLOW_PYTHON) {
        work::read(time);
    }
}

/// Notes that the current task of a process has written the beginning of a response.
#[inline(always)]
fn answers(pid: u32) {
    // SAFETY: as in `current`.
    if unsafe { RUNTIMES.get(pid) }.is_some_and(|runtime| runtime.kind == FLOW_PYTHON) {
        work::answer();
    }
}

/// Of what is known not to be a thread's own doing.
pub(crate) const NOBODY: Flow =
    Flow { context: 0, parent: 0, origin: 0, kind: 0, sleeps: 0, hops: 0, reserved: 0 };

#[inline(always)]
fn follow(runtime: &Runtime, mut at: u64) -> Option<u64> {
    for step in 0..MAX_STEPS {
        if step as u32 >= runtime.steps {
            break;
        }
        at = peek_user(at.wrapping_add(runtime.path[step] as u64)).filter(|&to| to != 0)?;
    }
    Some(at)
}
