//! Which flow of execution acts: what the current task can be told by without asking it anything.

use aya_ebpf::{helpers::generated::bpf_get_current_task_btf, macros::map, maps::HashMap};
use tracer_common::{
    head::Start,
    record::{FLOW_CONNECTION, FLOW_FUTURE, FLOW_PROMISE, FLOW_PYTHON, FLOW_TASK, Flow},
    runtime::{MAX_RUNTIMES, MAX_STEPS, Runtime},
};

use crate::{
    future,
    kernel::{Sock, peek_user, task_sleeps, task_thread_pointer},
    nginx,
    operation::Direction,
    promise, python, tokio, work,
};

/// Process -> where its runtime keeps contexts; filled by user space.
#[map]
static RUNTIMES: HashMap<u32, Runtime> = HashMap::with_max_entries(MAX_RUNTIMES, 0);

/// Notes what the current task of a process runs as it sends (or connects) or receives, before it acts.
#[inline(always)]
pub(crate) fn current(pid: u32, direction: Direction, flow: &mut Flow) {
    peek(pid, direction, flow);
    if flow.kind == FLOW_PYTHON {
        python::tell(pid, flow.context);
    }
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

/// Notes which task or future answers, for which one another asks, or whose connection is served, where a message is sent or
/// received that begins with `start` and these tell. A connection has one task of its own.
#[inline(always)]
pub(crate) fn message(
    pid: u32,
    sock: Sock,
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
    if runtime.kind == FLOW_FUTURE && runtime.jvm.matters() {
        let found = match (sends, response) {
            (true, _) => future::sends(&runtime.jvm, response),
            (false, true) => future::hears(&runtime.jvm),
            (false, false) => None,
        };
        let context = found.and_then(|end| future::name(&runtime.jvm, end));
        (flow.context, flow.kind) = (context.unwrap_or(0), FLOW_FUTURE);
    }
    if runtime.kind == FLOW_CONNECTION
        && let Some(client) = nginx::client(sock)
    {
        (flow.context, flow.kind) = (client, FLOW_CONNECTION);
    }
    if runtime.kind != FLOW_TASK {
        return;
    }
    if sends {
        *owner = tokio::owner(&runtime.tokio, sock).unwrap_or(0);
    }
    let task = if *owner == 0 {
        None
    } else if response == sends {
        Some(*owner)
    } else {
        tokio::asking(pid, &runtime.tokio, *owner)
    };
    if let Some(task) = task {
        (flow.context, flow.kind) = (task, FLOW_TASK);
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
pub(crate) fn reads(pid: u32, time: u64) {
    // SAFETY: as in `current`.
    if unsafe { RUNTIMES.get(pid) }.is_some_and(|runtime| runtime.kind == FLOW_PYTHON) {
        work::read(time);
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
