//! Work that one Python thread hands to another through `queue.SimpleQueue`, as
//! `concurrent.futures.ThreadPoolExecutor` does: whoever takes an item out works for the context that
//! put it in; where that has no name, for the request that the thread had read last. Items are known
//! by their addresses, which stay while they are in a queue.
//!
//! Queues hold other things than work, too: a pool's connections. Who has a request of its own to answer
//! works for that, whatever it takes out of a queue.

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid,
    macros::map,
    maps::LruHashMap,
    programs::{ProbeContext, RetProbeContext},
};
use tracer_common::runtime::{MAX_QUEUED, MAX_TASK_THREADS};

use crate::{flow, kernel::peek_user, operation::Direction, verdict::Stop};

/// For whom a thread works.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Work {
    /// The context that put it in; 0 if it has no name.
    pub(crate) context: u64,
    /// As [`tracer_common::record::Flow::origin`]; 0 if a context is named.
    pub(crate) origin: u64,
    /// From thread to thread, since then.
    pub(crate) hops: u64,
}

/// Item, with its process above the bits that an address has -> the work that it stands for.
#[map]
static QUEUED: LruHashMap<u64, Work> = LruHashMap::with_max_entries(MAX_QUEUED, 0);

/// Thread -> what it works for.
#[map]
static WORKS: LruHashMap<u32, Work> = LruHashMap::with_max_entries(MAX_TASK_THREADS, 0);

/// Bits of an address in user space.
const ADDRESS_BITS: u32 = 47;

/// An item is put in by the current thread.
#[inline(always)]
pub(crate) fn try_put(ctx: &ProbeContext) -> Result<(), Stop> {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let arguments: u64 = ctx.arg(1).ok_or(Stop::NotOurs)?;
    let item: u64 = peek_user(arguments).ok_or(Stop::NotOurs)?;
    let mut flow = flow::NOBODY;
    flow::current(pid, Direction::Send, &mut flow);
    let work = if flow.context != 0 {
        Some(Work { context: flow.context, origin: 0, hops: 0 })
    } else {
        current()
    };
    // A full map evicts its oldest entry; and the address may be that of an item that nobody was
    // seen to take out.
    let _ = match work {
        Some(work) => QUEUED.insert(key(pid, item), work, 0),
        None => QUEUED.remove(key(pid, item)),
    };
    Ok(())
}

/// The current thread takes an item out.
#[inline(always)]
pub(crate) fn try_get(ctx: &RetProbeContext) -> Result<(), Stop> {
    let id = bpf_get_current_pid_tgid();
    let (pid, tid) = ((id >> 32) as u32, id as u32);
    let item: u64 = ctx.ret();
    if item == 0 {
        return Err(Stop::NotOurs);
    }
    let owes = current().is_some_and(|work| work.hops == 0);
    // SAFETY: the value is copied at once, and an item is taken out only once.
    match unsafe { QUEUED.get(key(pid, item)) }.copied() {
        Some(work) => {
            if !owes {
                let _ = WORKS.insert(tid, Work { hops: work.hops + 1, ..work }, 0);
            }
            let _ = QUEUED.remove(key(pid, item));
        }
        None if owes => {}
        None => {
            let _ = WORKS.remove(tid);
        }
    }
    Ok(())
}

/// The current thread has read the beginning of a request at this time.
#[inline(always)]
pub(crate) fn read(time: u64) {
    let tid = bpf_get_current_pid_tgid() as u32;
    // As above.
    let _ = WORKS.insert(tid, Work { context: 0, origin: time, hops: 0 }, 0);
}

/// The current thread answers: whatever it has read, it has no request of its own any more.
#[inline(always)]
pub(crate) fn answer() {
    let _ = WORKS.remove(bpf_get_current_pid_tgid() as u32);
}

/// What the current thread works for.
#[inline(always)]
pub(crate) fn current() -> Option<Work> {
    // SAFETY: the value is copied at once, and only the current thread writes it.
    unsafe { WORKS.get(bpf_get_current_pid_tgid() as u32) }.copied()
}

#[inline(always)]
fn key(pid: u32, item: u64) -> u64 {
    item ^ u64::from(pid) << ADDRESS_BITS
}
