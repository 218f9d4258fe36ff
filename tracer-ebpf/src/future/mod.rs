//! What a Java thread works for, in the terms of `CompletableFuture`: the future that nothing else
//! waits for, or the thread that waits.
//!
//! Who continues a future calls its functions, so the future that these complete is on the thread's
//! stack. From there the probes go from each future to what waits for it, and on to the future that
//! this completes (java/util/concurrent/CompletableFuture.java: a future's `stack` is a list of
//! `Completion`s). All that one handler waits for leads to the handler's own future, and so does its
//! answer; or to a thread that waits (`get`, `join`), which answers.
//!
//! Frames are not told apart: whatever on the stack is the address of a future is taken for one, and
//! what most of them lead to is believed, for some are left over from what the thread did before.
//! `java.net.http` is known better: the connection's object is found by its file descriptor, and
//! leads to the future of the response.

mod chain;
mod client;
mod scratch;
mod stack;
mod thread;

use core::ffi::c_void;

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated::bpf_loop},
    macros::map,
    maps::{LruHashMap, PerCpuArray},
};
use tracer_common::{
    record::{FUTURE_THREAD, FUTURE_VIRTUAL},
    runtime::{Jvm, MAX_RUNTIMES},
};

use crate::{
    call::{descriptor, stack_pointer},
    kernel::peek_user,
    moved,
};
use chain::{MAX_STEPS, follow_one, vote_one};
use scratch::{MAX_ROOTS, OBJECTS, ROOTS, Scratch};
use stack::{AT_ONCE, collect_some, meet_one};

/// One for each direction.
#[map]
static FUTURES: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(2, 0);

/// Process and direction -> looks in a row that have found nothing.
#[map]
static FRUITLESS: LruHashMap<u64, u32> = LruHashMap::with_max_entries(2 * MAX_RUNTIMES, 0);

/// So many looks without finding anything make it unlikely that there is anything to find: the process's
/// threads work for themselves ...
const PATIENCE: u32 = 256;
/// ... but it may begin to use futures later: one of so many is still looked at.
const SELDOM: u32 = 16;

/// What every round of a loop works with.
#[repr(C)]
struct Walk {
    jvm: *const Jvm,
    scratch: *mut Scratch,
}

/// Whom the current thread answers, which may be itself, or for whom it asks; not on a connection of
/// `java.net.http`, where nobody may wait for the response yet.
#[inline(always)]
pub(crate) fn sends(jvm: &Jvm, response: bool) -> Option<u64> {
    let Some(mut walk) = look(jvm, 0) else {
        return if response { Some(thread::current()) } else { None };
    };
    if walk.parts().1.known != 0 {
        return None;
    }
    let end = walk.vote();
    let thread = walk.parts().1.thread;
    let itself = response || thread & FUTURE_VIRTUAL == FUTURE_VIRTUAL;
    Some(if end == 0 && itself { thread } else { end })
}

/// For whom the current thread has asked, now that there is a response.
#[inline(always)]
pub(crate) fn hears(jvm: &Jvm) -> Option<u64> {
    let mut walk = look(jvm, 1)?;
    let scratch = walk.parts().1;
    if scratch.known != 0 {
        scratch.counts = [0; 3];
        scratch.root(scratch.response);
    }
    let end = walk.vote();
    let beyond = if end & FUTURE_VIRTUAL == FUTURE_THREAD { walk.beyond(jvm) } else { None };
    Some(beyond.unwrap_or(end))
}

/// The name of what one of these has found.
#[inline(always)]
pub(crate) fn name(jvm: &Jvm, end: u64) -> Option<u64> {
    match end {
        0 => None,
        thread if thread & FUTURE_THREAD != 0 => Some(thread),
        future => moved::name(jvm, future),
    }
}

/// Looks for futures, and for a connection, on the stack; `None` where there is hardly anything to find.
#[inline(always)]
fn look(jvm: &Jvm, place: u32) -> Option<Walk> {
    let process = bpf_get_current_pid_tgid() >> 32 << 1 | u64::from(place);
    let fruitless = FRUITLESS.get_ptr_mut(process);
    if let Some(fruitless) = fruitless {
        // SAFETY: the kernel keeps the entry's memory as long as this program can run; what another
        // thread counts at the same time may be lost.
        let count = unsafe { &mut *fruitless };
        *count = count.wrapping_add(1);
        if *count > PATIENCE && *count % SELDOM != 0 {
            return None;
        }
    }
    let mut walk = Walk { jvm, scratch: FUTURES.get_ptr_mut(place)? };
    let scratch = walk.parts().1;
    scratch.counts = [0; 3];
    (scratch.known, scratch.response, scratch.before) = (0, 0, 0);
    (scratch.end, scratch.votes) = (0, 0);
    scratch.descriptor = descriptor();
    scratch.thread = thread::current();
    let thread = scratch.thread;
    walk.meet(stack_pointer());
    let scratch = walk.parts().1;
    let found = scratch.counts[ROOTS] != 0 || scratch.known != 0 || scratch.thread != thread;
    match fruitless {
        // SAFETY: as above.
        Some(fruitless) if found => unsafe { *fruitless = 0 },
        Some(_) => {}
        None => drop(FRUITLESS.insert(process, 0, 0)),
    }
    Some(walk)
}

impl Walk {
    #[inline(always)]
    fn parts(&mut self) -> (&'static Jvm, &'static mut Scratch) {
        // SAFETY: both are values of maps, and the latter is this processor's.
        unsafe { (&*self.jvm, &mut *self.scratch) }
    }

    #[inline(always)]
    fn each(&mut self, times: u32, callback: extern "C" fn(u32, *mut Self) -> u64) {
        let state = (&raw mut *self).cast();
        // SAFETY: the callback has the form that the helper asks for, and `self` outlives the loop.
        unsafe { bpf_loop(times, callback as *mut c_void, state, 0) };
    }

    /// Whom the thread that waits works for itself.
    #[inline(always)]
    fn beyond(&mut self, jvm: &Jvm) -> Option<u64> {
        let scratch = self.parts().1;
        let stack: u64 = peek_user(scratch.waiter.wrapping_add(u64::from(jvm.stack_end)))?;
        scratch.counts = [0; 3];
        // No connection is looked for.
        (scratch.known, scratch.descriptor) = (0, u64::MAX);
        (scratch.before, scratch.end, scratch.votes) = (scratch.end, 0, 0);
        self.meet(stack);
        Some(self.vote()).filter(|&end| end != 0)
    }

    /// Looks at what is on a stack.
    #[inline(always)]
    fn meet(&mut self, stack: u64) {
        let scratch = self.parts().1;
        scratch.looks += 1;
        let words = scratch.read_stack(stack);
        self.each(words / AT_ONCE as u32, collect_some);
        let objects = self.parts().1.counts[OBJECTS] as u32;
        self.each(objects, meet_one);
    }

    /// What most roots lead to; 0 if they lead nowhere.
    #[inline(always)]
    fn vote(&mut self) -> u64 {
        self.each(MAX_STEPS, follow_one);
        self.each(MAX_ROOTS as u32, vote_one);
        self.parts().1.end
    }
}
