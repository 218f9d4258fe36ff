//! From a future to what waits for it (java/util/concurrent/CompletableFuture.java, FutureTask.java).

use tracer_common::runtime::Jvm;

use super::{
    Walk,
    scratch::{MAX_ROOTS, MAX_WAITING, ROOTS, Root, WAITING, Waiting},
};
use crate::kernel::peek_user;

/// Those that are looked at.
pub(super) const MAX_STEPS: u32 = 256;
/// `oopDesc._metadata`: a compressed pointer to the class.
pub(super) const CLASS: u64 = 8;

pub(super) enum Kind {
    Future,
    Task,
    Single,
    Pair,
    Waiter,
}

/// By the ancestors of the class. All objects come from `Object`; `UniCompletion` and `Signaller`
/// come from `Completion`, and that from `ForkJoinTask`.
#[inline(always)]
pub(super) fn kind_of(jvm: &Jvm, class: u32) -> Option<Kind> {
    let class = jvm.class_base.wrapping_add(u64::from(class) << (jvm.class_shift & 31));
    let [first, _, third] = peek_user::<[u64; 3]>(class.wrapping_add(u64::from(jvm.supers) + 8))?;
    if first == 0 {
        None
    } else if first == jvm.future {
        Some(Kind::Future)
    } else if first == jvm.task {
        Some(Kind::Task)
    } else if third == 0 {
        None
    } else if third == jvm.single {
        Some(Kind::Single)
    } else if third == jvm.pair {
        Some(Kind::Pair)
    } else if third == jvm.waiter {
        Some(Kind::Waiter)
    } else {
        None
    }
}

/// Goes on from one that waits.
pub(super) extern "C" fn follow_one(_: u32, walk: *mut Walk) -> u64 {
    // SAFETY: as in `stack::collect_some`.
    let (jvm, scratch) = unsafe { (*walk).parts() };
    let Some(last) = scratch.counts[WAITING].checked_sub(1) else { return 1 };
    scratch.counts[WAITING] = last;
    let Waiting { address, links, root } = scratch.waiting[last as usize % MAX_WAITING];
    let Some(class) = peek_user(address.wrapping_add(CLASS)) else { return 0 };
    match kind_of(jvm, class) {
        Some(Kind::Future) => match object(jvm, address, jvm.stack) {
            Some(first) => scratch.push(first, links, root),
            None => scratch.ends(root, address, 0, links),
        },
        Some(Kind::Waiter) => {
            if let Some(thread) = object(jvm, address, jvm.thread) {
                scratch.waits(jvm, root, thread);
            }
        }
        Some(Kind::Task) => {
            if let Some(waiter) = object(jvm, address, jvm.waiters)
                && let Some(thread) = object(jvm, waiter, jvm.waiters_thread)
            {
                scratch.waits(jvm, root, thread);
            }
        }
        Some(kind) => {
            if let Some(next) = object(jvm, address, jvm.next) {
                scratch.push(next, links, root);
            }
            let single = match kind {
                Kind::Pair => object(jvm, address, jvm.base),
                _ => Some(address),
            };
            if let Some(single) = single
                && let Some(future) = object(jvm, single, jvm.dependent)
            {
                scratch.push(future, links + 1, root);
            }
        }
        None => {}
    }
    0
}

/// Counts how many agree with one root.
pub(super) extern "C" fn vote_one(index: u32, walk: *mut Walk) -> u64 {
    // SAFETY: as in `stack::collect_some`.
    let (_, scratch) = unsafe { (*walk).parts() };
    let Root { end, waiter, .. } = scratch.roots[index as usize % MAX_ROOTS];
    let agree = scratch.roots.iter().zip(0..scratch.counts[ROOTS]);
    let agree = agree.filter(|(root, _)| root.end == end);
    let votes = agree.map(|(root, _)| u64::from(root.times)).sum();
    if end != 0 && end != scratch.before && votes > scratch.votes {
        (scratch.end, scratch.votes, scratch.waiter) = (end, votes, waiter);
    }
    0
}

/// The object that a field of an object names, if there is one.
#[inline(always)]
pub(super) fn object(jvm: &Jvm, of: u64, offset: u32) -> Option<u64> {
    let narrow: u32 = peek_user(of.wrapping_add(u64::from(offset)))?;
    let address = jvm.object_base.wrapping_add(u64::from(narrow) << (jvm.object_shift & 31));
    if narrow == 0 { None } else { Some(address) }
}
