//! What is found on one thread's stack, and where it leads.

use tracer_common::{
    record::{FUTURE_THREAD, FUTURE_VIRTUAL},
    runtime::Jvm,
};

use super::{
    chain::CLASS,
    stack::{MAX_OBJECTS, WORDS},
    thread::platform_thread,
};
use crate::kernel::peek_user;

/// Futures on the stack, and what waits for them, that are taken for starting points.
pub(super) const MAX_ROOTS: usize = 8;
/// Futures and what waits for them that are still to be looked at.
pub(super) const MAX_WAITING: usize = 64;
/// What is remembered to be nothing.
const PASSED: usize = 64;
/// Bits of an object's address, and of the compressed pointer to a class.
const ADDRESS_BITS: u32 = 47;
const CLASS_BITS: u32 = 32;
/// More links than any chain has.
const WAITED_FOR: u32 = u32::MAX;

/// Places in [`Scratch::counts`].
pub(super) const OBJECTS: usize = 0;
pub(super) const ROOTS: usize = 1;
pub(super) const WAITING: usize = 2;

/// What is looked at for one message; only the processor that it is sent or received on does. What
/// is counted is here, too, for of what is on its own stack the verifier knows each number, and
/// follows every one.
#[repr(C)]
pub(super) struct Scratch {
    pub(super) stack: [u64; WORDS],
    pub(super) objects: [u64; MAX_OBJECTS],
    pub(super) roots: [Root; MAX_ROOTS],
    pub(super) waiting: [Waiting; MAX_WAITING],
    /// Of `objects`, `roots`, `waiting`.
    pub(super) counts: [u64; 3],
    pub(super) descriptor: u64,
    /// The current thread's name.
    pub(super) thread: u64,
    /// Whether there is a connection of `java.net.http`.
    pub(super) known: u64,
    /// The future of the response on it.
    pub(super) response: u64,
    /// What is not meant: the thread whose stack it is.
    pub(super) before: u64,
    /// What most roots lead to, and how many of them.
    pub(super) end: u64,
    pub(super) votes: u64,
    /// `JavaThread` of the thread that waits there.
    pub(super) waiter: u64,
    /// Looks so far.
    pub(super) looks: u64,
    /// Objects and classes that were found to be nothing that is looked for, by their last bits, with the
    /// look that found it: most are on a stack several times.
    pub(super) passed_objects: [u64; PASSED],
    pub(super) passed_classes: [u64; PASSED],
}

/// A future on the stack, or what waits for one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Root {
    pub(super) address: u64,
    /// How often it is there.
    pub(super) times: u32,
    /// How many futures are between it and its end.
    pub(super) links: u32,
    /// What it leads to.
    pub(super) end: u64,
    /// `JavaThread` of a thread that waits there; else 0.
    pub(super) waiter: u64,
}

/// A future, or what waits for one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) address: u64,
    /// How many futures are before it.
    pub(super) links: u32,
    /// Place of the root that led here.
    pub(super) root: u32,
}

impl Scratch {
    /// Where it stands whether an object has been passed in this look, and what stands there if so. Objects
    /// begin at multiples of 8.
    #[inline(always)]
    pub(super) fn passed_object(&mut self, object: u64) -> (&mut u64, u64) {
        let mark = object | self.looks << ADDRESS_BITS;
        (&mut self.passed_objects[(object >> 3) as usize % PASSED], mark)
    }

    /// The same of a class.
    #[inline(always)]
    pub(super) fn passed_class(&mut self, class: u32) -> (&mut u64, u64) {
        let mark = u64::from(class) | self.looks << CLASS_BITS;
        (&mut self.passed_classes[(class >> 3) as usize % PASSED], mark)
    }

    /// Starts from a future, or counts it again.
    #[inline(always)]
    pub(super) fn root(&mut self, address: u64) {
        for (root, _) in self.roots.iter_mut().zip(0..self.counts[ROOTS]) {
            if root.address == address {
                root.times += 1;
                return;
            }
        }
        let root = self.counts[ROOTS];
        if root < MAX_ROOTS as u64 {
            self.roots[root as usize % MAX_ROOTS] =
                Root { address, times: 1, links: 0, end: 0, waiter: 0 };
            self.counts[ROOTS] = root + 1;
            self.push(address, 0, root as u32);
        }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, address: u64, links: u32, root: u32) {
        let last = self.counts[WAITING];
        if last < MAX_WAITING as u64 {
            self.waiting[last as usize % MAX_WAITING] = Waiting { address, links, root };
            self.counts[WAITING] = last + 1;
        }
    }

    /// Notes that a thread waits for what a root leads to.
    #[inline(always)]
    pub(super) fn waits(&mut self, jvm: &Jvm, root: u32, thread: u64) -> Option<()> {
        let class: u32 = peek_user(thread.wrapping_add(CLASS))?;
        if class == jvm.virtual_thread && class != 0 {
            let number: u64 = peek_user(thread.wrapping_add(u64::from(jvm.thread_number)))?;
            self.ends(root, FUTURE_VIRTUAL | number, 0, WAITED_FOR);
        } else {
            let (own, number) = platform_thread(jvm, thread)?;
            self.ends(root, FUTURE_THREAD | number, own, WAITED_FOR);
        }
        Some(())
    }

    /// Notes what a root leads to: of several, the one that is farthest. By itself it leads nowhere.
    #[inline(always)]
    pub(super) fn ends(&mut self, root: u32, end: u64, waiter: u64, links: u32) {
        let root = &mut self.roots[root as usize % MAX_ROOTS];
        if links > root.links {
            (root.end, root.waiter, root.links) = (end, waiter, links);
        }
    }
}
