//! Futures by names that outlast a garbage collection, which moves them.
//!
//! A future's name is where it was, and how many collections there had been. Right after a collection,
//! where an object was still tells where it is now (src/hotspot/share/oops/markWord.hpp), so those
//! named lately are followed there. Those that did not move, or were not asked for in time, get new
//! names.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated::bpf_loop},
    macros::map,
    maps::{Array, LruHashMap},
};
use tracer_common::runtime::Jvm;

use crate::kernel::peek_user;

/// Futures of one process whose names are remembered.
const MAX_NAMES: usize = 64;
/// Processes.
const MAX_PROCESSES: u32 = 1024;
/// Bits of an address in user space.
const ADDRESS_BITS: u32 = 47;
/// Above them is the number of collections, modulo this.
const COLLECTIONS: u64 = 1 << 15;
/// The last bits of an object that has been moved; the others are where to.
const MOVED: u64 = 3;

/// What is remembered of one process. Two of its threads may change it at once; at worst a name is
/// lost.
#[repr(C)]
struct Names {
    collections: u64,
    /// Futures that were named so far.
    named: u64,
    names: [Name; MAX_NAMES],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Name {
    /// Where the future is; 0 if that is not known.
    at: u64,
    name: u64,
}

#[map]
static NAMES: LruHashMap<u32, Names> = LruHashMap::with_max_entries(MAX_PROCESSES, 0);

/// A process before its first future, from which entries are made: they do not fit on the stack.
#[map]
static NOTHING: Array<Names> = Array::with_max_entries(1, 0);

/// What every round of a loop works with.
#[repr(C)]
struct Search {
    jvm: *const Jvm,
    names: *mut Names,
    future: u64,
    name: u64,
}

/// The future's name.
#[inline(always)]
pub(crate) fn name(jvm: &Jvm, future: u64) -> Option<u64> {
    let collections = u64::from(peek_user::<u32>(jvm.collections)?);
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    if NAMES.get_ptr_mut(pid).is_none() {
        NAMES.insert(pid, NOTHING.get(0)?, 0).ok()?;
    }
    let names = NAMES.get_ptr_mut(pid)?;
    let name = future ^ (collections % COLLECTIONS) << ADDRESS_BITS;
    let mut search = Search { jvm, names, future, name };
    // SAFETY: the map's value.
    let before = unsafe { core::mem::replace(&mut (*names).collections, collections) };
    if before != collections {
        let step = if collections == before + 1 { follow_one } else { forget_one };
        search.each(step);
    }
    search.name = 0;
    search.each(find_one);
    if search.name == 0 {
        // SAFETY: as above.
        let names = unsafe { &mut *names };
        names.named += 1;
        names.names[names.named as usize % MAX_NAMES] = Name { at: future, name };
        search.name = name;
    }
    Some(search.name)
}

impl Search {
    #[inline(always)]
    fn each(&mut self, step: extern "C" fn(u32, *mut Self) -> u64) {
        let state = (&raw mut *self).cast();
        // SAFETY: the step has the form that the helper asks for, and `self` outlives the loop.
        unsafe { bpf_loop(MAX_NAMES as u32, step as *mut c_void, state, 0) };
    }
}

/// Notes where a future has been moved.
extern "C" fn follow_one(index: u32, search: *mut Search) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given, and what that has is valid.
    let (jvm, names) = unsafe { (&*(*search).jvm, &mut *(*search).names) };
    let known = &mut names.names[index as usize % MAX_NAMES];
    let word = if known.at == 0 { 0 } else { peek_user::<u64>(known.at).unwrap_or(0) };
    let to = word & !MOVED;
    let inside = to >= jvm.heap_start && to < jvm.heap_end;
    known.at = if word & MOVED == MOVED && inside { to } else { 0 };
    0
}

/// What was moved twice is lost.
extern "C" fn forget_one(index: u32, search: *mut Search) -> u64 {
    // SAFETY: as in `follow_one`.
    unsafe { (*(*search).names).names[index as usize % MAX_NAMES].at = 0 };
    0
}

/// Whether a future has a name already.
extern "C" fn find_one(index: u32, search: *mut Search) -> u64 {
    // SAFETY: as in `follow_one`.
    let (search, names) = unsafe { (&mut *search, &*(*search).names) };
    let known = names.names[index as usize % MAX_NAMES];
    if known.at != search.future {
        return 0;
    }
    search.name = known.name;
    1
}
