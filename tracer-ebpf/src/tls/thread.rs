//! What threads do with TLS.

use core::mem::MaybeUninit;

use aya_ebpf::{macros::map, maps::LruHashMap};
use tracer_common::tls::MAX_TLS_THREADS;

use super::session::End;

/// Thread -> what it does.
#[map]
static TLS_THREADS: LruHashMap<u32, Thread> = LruHashMap::with_max_entries(MAX_TLS_THREADS, 0);

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Thread {
    /// The session whose function it is in; 0 if it is in none.
    pub(crate) inside: u64,
    /// Where its stack ended at the function's entry.
    pub(crate) stack: u64,
    /// The function's second argument.
    pub(crate) buffer: u64,
    /// Its fourth one.
    pub(crate) out: u64,
    /// What the function has moved.
    pub(crate) moved: i64,
    /// The session whose function it was in last, if it has moved nothing on TLS's sockets since.
    pub(crate) last: u64,
    /// Where it received TLS last, unless a session's function was called since: cookie 0.
    pub(crate) heard: End,
}

impl Thread {
    /// A thread's; only it writes there.
    #[inline(always)]
    pub(crate) fn of(tid: u32) -> Option<&'static mut Self> {
        if TLS_THREADS.get_ptr(tid).is_none() {
            // SAFETY: plain numbers, for which zero is a value.
            let new = unsafe { MaybeUninit::<Self>::zeroed().assume_init() };
            // A full map evicts its oldest entry.
            let _ = TLS_THREADS.insert(tid, new, 0);
        }
        // SAFETY: the kernel keeps the entry's memory as long as this program can run.
        TLS_THREADS.get_ptr_mut(tid).map(|thread| unsafe { &mut *thread })
    }
}
