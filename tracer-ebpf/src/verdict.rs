//! How a probe's run ended. Every way that is worth a number has one.

use aya_ebpf::{EbpfContext, macros::map, maps::{LruHashMap, PerCpuArray}};
use aya_log_ebpf::debug;
use tracer_common::counter::{COUNTERS, Counter, MAX_UNREADABLE};

#[map]
static COUNTS: PerCpuArray<u64> = PerCpuArray::with_max_entries(COUNTERS, 0);

/// Process -> operations on sockets that may be or are HTTP whose bytes were sought and not found.
#[map]
static UNREADABLE: LruHashMap<u32, u64> = LruHashMap::with_max_entries(MAX_UNREADABLE, 0);

/// Why a probe did nothing (more).
pub(crate) enum Stop {
    /// Nothing to do with what is traced.
    NotOurs,
    /// Worth counting.
    Counted(Counter),
}

/// The one place where an outcome becomes a count; and a line of the log, where user space has
/// asked for that (else the verifier drops the code).
#[inline(always)]
pub(crate) fn conclude(ctx: &impl EbpfContext, outcome: Result<(), Stop>) -> i32 {
    match outcome {
        Ok(()) | Err(Stop::NotOurs) => {}
        Err(Stop::Counted(counter)) => {
            count(counter);
            debug!(ctx, "process {}: stopped with {}", ctx.tgid(), counter.name());
        }
    }
    0
}

#[inline(always)]
pub(crate) fn count(counter: Counter) {
    if let Some(slot) = COUNTS.get_ptr_mut(counter as u32) {
        // SAFETY: the slot is this processor's own.
        unsafe { *slot += 1 }
    }
}

/// Counts an operation by its process, too. Two processors can count at once; then one is missed.
pub(crate) fn count_unreadable(pid: u32) {
    if let Some(slot) = UNREADABLE.get_ptr_mut(pid) {
        // SAFETY: the kernel keeps the entry's memory as long as this program can run.
        unsafe { *slot += 1 }
    } else {
        // A full map evicts its oldest entry.
        let _ = UNREADABLE.insert(pid, 1, 0);
    }
}
