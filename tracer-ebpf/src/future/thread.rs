//! Threads by their numbers.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use tracer_common::{
    record::{FUTURE_THREAD, FUTURE_VIRTUAL},
    runtime::Jvm,
};

use super::{chain::object, scratch::Scratch};
use crate::kernel::peek_user;

/// The thread's number in what the kernel names process and thread by.
const TID: u64 = 0xffff_ffff;

/// The current thread's name, if it carries no virtual one.
#[inline(always)]
pub(super) fn current() -> u64 {
    FUTURE_THREAD | bpf_get_current_pid_tgid() & TID
}

/// Of a thread, its `JavaThread` and the kernel's number.
#[inline(always)]
pub(super) fn platform_thread(jvm: &Jvm, thread: u64) -> Option<(u64, u64)> {
    let own: u64 = peek_user(thread.wrapping_add(u64::from(jvm.eetop)))?;
    let system: u64 = peek_user(own.wrapping_add(u64::from(jvm.osthread)))?;
    let number: u32 = peek_user(system.wrapping_add(u64::from(jvm.thread_id)))?;
    Some((own, u64::from(number)))
}

impl Scratch {
    /// Takes for the current thread the virtual one that it carries.
    #[inline(always)]
    pub(super) fn virtual_thread(&mut self, jvm: &Jvm, thread: u64) -> Option<()> {
        let carrier = object(jvm, thread, jvm.carrier)?;
        if platform_thread(jvm, carrier)?.1 == bpf_get_current_pid_tgid() & TID {
            let number: u64 = peek_user(thread.wrapping_add(u64::from(jvm.thread_number)))?;
            self.thread = FUTURE_VIRTUAL | number;
        }
        Some(())
    }
}
