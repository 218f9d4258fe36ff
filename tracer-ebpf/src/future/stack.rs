//! Words of a stack that are addresses of objects.

use core::hint::black_box;

use aya_ebpf::helpers::generated::bpf_probe_read_user;

use super::{
    Walk,
    chain::{CLASS, kind_of},
    scratch::{OBJECTS, Scratch},
};
use crate::kernel::peek_user;

/// Words of the stack that are looked at, from the system call on, at most.
pub(super) const WORDS: usize = 4 * PAGE_WORDS;
const PAGE_WORDS: usize = 512;
/// Of these, in one round.
pub(super) const AT_ONCE: usize = 8;
/// Words that may be addresses of objects.
pub(super) const MAX_OBJECTS: usize = 512;

/// Takes those of the next words of the stack that may be addresses of objects. Without a branch for
/// each, which the verifier would follow both ways.
pub(super) extern "C" fn collect_some(round: u32, walk: *mut Walk) -> u64 {
    // SAFETY: `bpf_loop` hands on the pointer that it was given.
    let (jvm, scratch) = unsafe { (*walk).parts() };
    let heap = jvm.heap_end.wrapping_sub(jvm.heap_start);
    let first = black_box(round as usize * AT_ONCE % WORDS);
    for at in 0..AT_ONCE {
        let word = scratch.stack[(first + at) % WORDS];
        scratch.objects[scratch.counts[OBJECTS] as usize % MAX_OBJECTS] = word;
        let past = word.wrapping_sub(jvm.heap_start);
        let inside = black_box(!past & past.wrapping_sub(heap)) >> 63;
        scratch.counts[OBJECTS] += black_box(inside & !(word | word >> 1 | word >> 2));
    }
    u64::from(scratch.counts[OBJECTS] >= (MAX_OBJECTS - AT_ONCE) as u64)
}

/// Looks at one of them: it may be a connection, a future, or what waits for one.
pub(super) extern "C" fn meet_one(index: u32, walk: *mut Walk) -> u64 {
    // SAFETY: as in `collect_some`.
    let (jvm, scratch) = unsafe { (*walk).parts() };
    let object = scratch.objects[index as usize % MAX_OBJECTS];
    let (place, mark) = scratch.passed_object(object);
    if *place == mark {
        return 0;
    }
    // What is met again is passed, unless it is a root, of which it counts how often it is there.
    *place = mark;
    let Some(class) = peek_user::<u32>(object.wrapping_add(CLASS)) else { return 0 };
    let (place, mark) = scratch.passed_class(class);
    if *place == mark {
        return 0;
    }
    if class == jvm.connection && class != 0 {
        scratch.connection(jvm, object);
    } else if class == jvm.virtual_thread && class != 0 {
        scratch.virtual_thread(jvm, object);
    } else if kind_of(jvm, class).is_some() {
        *scratch.passed_object(object).0 = 0;
        scratch.root(object);
    } else {
        *scratch.passed_class(class).0 = mark;
    }
    u64::from(scratch.known != 0)
}

impl Scratch {
    /// Returns how many words there are. A stack ends with a page.
    #[inline(always)]
    pub(super) fn read_stack(&mut self, from: u64) -> u32 {
        let first = PAGE_WORDS - (from / 8) as usize % PAGE_WORDS;
        let mut words = 0;
        for count in [first, PAGE_WORDS, PAGE_WORDS] {
            // SAFETY: `words` is at most two pages, and `count` one.
            let to = unsafe { self.stack.as_mut_ptr().add(words) };
            let len = (8 * count.min(PAGE_WORDS)) as u32;
            let at = from.wrapping_add(8 * words as u64);
            // SAFETY: as above.
            if unsafe { bpf_probe_read_user(to.cast(), len, at as *const _) } != 0 {
                break;
            }
            words += count;
        }
        words as u32
    }
}
