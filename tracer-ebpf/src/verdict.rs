//! How a probe's run ended. Every way that is worth a number has one.

use aya_ebpf::{macros::map, maps::PerCpuArray};
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

/// The one place where an outcome becomes a count.
#[inline(always)]
pub(crate) fn conclude(outcome: Result<(), Stop>) -> i32 {
    match outcome {
        Ok(()) | Err(Stop::NotOurs) => {}
        Err(Stop::Counted(counter)) => count(counter),
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
