//! How a probe's run ended. Every way that is worth a number has one.

use aya_ebpf::{EbpfContext, macros::map, maps::PerCpuArray};
use aya_log_ebpf::debug;
use tracer_common::counter::{COUNTERS, Counter};

#[map]
static COUNTS: PerCpuArray<u64> = PerCpuArray::with_max_entries(COUNTERS, 0);

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
