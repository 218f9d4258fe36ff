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

use core::{ffi::c_void, hint::black_box};

use aya_ebpf::{
    helpers::{
        bpf_get_current_pid_tgid,
        generated::{bpf_loop, bpf_probe_read_user},
    },
    macros::map,
    maps::PerCpuArray,
};
use tracer_common::{
    record::{FUTURE_THREAD, FUTURE_VIRTUAL},
    runtime::Jvm,
};

use crate::{
    call::{descriptor, stack_pointer},
    kernel::peek_user,
};

/// Words of the stack that are looked at, from the system call on, at most.
const WORDS: usize = 4 * PAGE_WORDS;
const PAGE_WORDS: usize = 512;
/// Of these, in one round.
const AT_ONCE: usize = 8;
/// Words that may be addresses of objects.
const MAX_OBJECTS: usize = 512;
/// Futures on the stack, and what waits for them, that are taken for starting points.
const MAX_ROOTS: usize = 8;
/// Futures and what waits for them that are still to be looked at.
const MAX_WAITING: usize = 64;
/// Those that are looked at.
const MAX_STEPS: u32 = 256;

/// Bits of an address in user space.
const ADDRESS_BITS: u32 = 47;
/// Above them is the number of garbage collections, modulo this: after each, addresses mean others.
const COLLECTIONS: u64 = 1 << 15;
/// The thread's number in what the kernel names process and thread by.
const TID: u64 = 0xffff_ffff;
/// More links than any chain has.
const WAITED_FOR: u32 = u32::MAX;

/// Places in [`Scratch::counts`].
const OBJECTS: usize = 0;
const ROOTS: usize = 1;
const WAITING: usize = 2;

/// `oopDesc._metadata`: a compressed pointer to the class.
const CLASS: u64 = 8;

/// What is looked at for one message; only the processor that it is sent or received on does. What
/// is counted is here, too, for of what is on its own stack the verifier knows each number, and
/// follows every one.
#[repr(C)]
struct Scratch {
    stack: [u64; WORDS],
    objects: [u64; MAX_OBJECTS],
    roots: [Root; MAX_ROOTS],
    waiting: [Waiting; MAX_WAITING],
    /// Of `objects`, `roots`, `waiting`.
    counts: [u64; 3],
    descriptor: u64,
    /// The current thread's name.
    thread: u64,
    /// Whether there is a connection of `java.net.http`.
    known: u64,
    /// The future of the response on it.
    response: u64,
    /// What is not meant: the thread whose stack it is.
    before: u64,
    /// What most roots lead to, and how many of them.
    end: u64,
    votes: u64,
    /// `JavaThread` of the thread that waits there.
    waiter: u64,
}

/// A future on the stack, or what waits for one.
#[repr(C)]
#[derive(Clone, Copy)]
struct Root {
    address: u64,
    /// How often it is there.
    times: u32,
    /// How many futures are between it and its end.
    links: u32,
    /// What it leads to.
    end: u64,
    /// `JavaThread` of a thread that waits there; else 0.
    waiter: u64,
}

/// A future, or what waits for one.
#[repr(C)]
#[derive(Clone, Copy)]
struct Waiting {
    address: u64,
    /// How many futures are before it.
    links: u32,
    /// Place of the root that led here.
    root: u32,
}

/// One for each direction.
#[map]
static FUTURES: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(2, 0);

/// What every round of a loop works with.
#[repr(C)]
struct Walk {
    jvm: *const Jvm,
    scratch: *mut Scratch,
}

/// Names whom the current thread answers: a future, or itself.
#[inline(always)]
pub(crate) fn answers(jvm: &Jvm) -> Option<u64> {
    let mut walk = look(jvm, 0)?;
    let scratch = walk.parts().1;
    let end = if scratch.known == 0 { walk.vote() } else { 0 };
    name(jvm, if end != 0 { end } else { walk.parts().1.thread })
}

/// Names for whom the current thread asks; not on a connection of `java.net.http`, where nobody may
/// wait for the response yet.
#[inline(always)]
pub(crate) fn asks(jvm: &Jvm) -> Option<u64> {
    let mut walk = look(jvm, 0)?;
    if walk.parts().1.known != 0 {
        return None;
    }
    let end = walk.vote();
    let thread = walk.parts().1.thread;
    name(jvm, if end == 0 && thread & FUTURE_VIRTUAL == FUTURE_VIRTUAL { thread } else { end })
}

/// Names for whom the current thread has asked, now that there is a response.
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
    name(jvm, beyond.unwrap_or(end))
}

#[inline(always)]
fn name(jvm: &Jvm, end: u64) -> Option<u64> {
    if end == 0 || end & FUTURE_THREAD != 0 {
        return Some(end).filter(|&end| end != 0);
    }
    let collections: u32 = peek_user(jvm.collections)?;
    Some(end ^ (u64::from(collections) % COLLECTIONS) << ADDRESS_BITS)
}

/// Looks for futures, and for a connection, on the stack.
#[inline(always)]
fn look(jvm: &Jvm, place: u32) -> Option<Walk> {
    let mut walk = Walk { jvm, scratch: FUTURES.get_ptr_mut(place)? };
    let scratch = walk.parts().1;
    scratch.counts = [0; 3];
    (scratch.known, scratch.response, scratch.before) = (0, 0, 0);
    (scratch.end, scratch.votes) = (0, 0);
    scratch.descriptor = descriptor();
    scratch.thread = FUTURE_THREAD | bpf_get_current_pid_tgid() & TID;
    walk.meet(stack_pointer());
    Some(walk)
}

/// Takes those of the next words of the stack that may be addresses of objects. Without a branch for
/// each, which the verifier would follow both ways.
extern "C" fn collect_some(round: u32, walk: *mut Walk) -> u64 {
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
extern "C" fn meet_one(index: u32, walk: *mut Walk) -> u64 {
    // SAFETY: as in `collect_some`.
    let (jvm, scratch) = unsafe { (*walk).parts() };
    let object = scratch.objects[index as usize % MAX_OBJECTS];
    let Some(class) = peek_user::<u32>(object.wrapping_add(CLASS)) else { return 0 };
    if class == jvm.connection && class != 0 {
        scratch.connection(jvm, object);
    } else if class == jvm.virtual_thread && class != 0 {
        scratch.virtual_thread(jvm, object);
    } else if kind_of(jvm, class).is_some() {
        scratch.root(object);
    }
    u64::from(scratch.known != 0)
}

enum Kind {
    Future,
    Task,
    Single,
    Pair,
    Waiter,
}

/// By the ancestors of the class. All objects come from `Object`; `UniCompletion` and `Signaller`
/// come from `Completion`, and that from `ForkJoinTask`.
#[inline(always)]
fn kind_of(jvm: &Jvm, class: u32) -> Option<Kind> {
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
extern "C" fn follow_one(_: u32, walk: *mut Walk) -> u64 {
    // SAFETY: as in `collect_some`.
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
extern "C" fn vote_one(index: u32, walk: *mut Walk) -> u64 {
    // SAFETY: as in `collect_some`.
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

/// Of a thread, its `JavaThread` and the kernel's number.
#[inline(always)]
fn platform_thread(jvm: &Jvm, thread: u64) -> Option<(u64, u64)> {
    let own: u64 = peek_user(thread.wrapping_add(u64::from(jvm.eetop)))?;
    let system: u64 = peek_user(own.wrapping_add(u64::from(jvm.osthread)))?;
    let number: u32 = peek_user(system.wrapping_add(u64::from(jvm.thread_id)))?;
    Some((own, u64::from(number)))
}

/// The object that a field of an object names, if there is one.
#[inline(always)]
fn object(jvm: &Jvm, of: u64, offset: u32) -> Option<u64> {
    let narrow: u32 = peek_user(of.wrapping_add(u64::from(offset)))?;
    let address = jvm.object_base.wrapping_add(u64::from(narrow) << (jvm.object_shift & 31));
    if narrow == 0 { None } else { Some(address) }
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
        let words = self.parts().1.read_stack(stack);
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

impl Scratch {
    /// Returns how many words there are. A stack ends with a page.
    #[inline(always)]
    fn read_stack(&mut self, from: u64) -> u32 {
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

    /// Takes for the current thread the virtual one that it carries.
    #[inline(always)]
    fn virtual_thread(&mut self, jvm: &Jvm, thread: u64) -> Option<()> {
        let carrier = object(jvm, thread, jvm.carrier)?;
        if platform_thread(jvm, carrier)?.1 == bpf_get_current_pid_tgid() & TID {
            let number: u64 = peek_user(thread.wrapping_add(u64::from(jvm.thread_number)))?;
            self.thread = FUTURE_VIRTUAL | number;
        }
        Some(())
    }

    /// Takes for the connection what has its descriptor, and goes on to the future of its response.
    #[inline(always)]
    fn connection(&mut self, jvm: &Jvm, connection: u64) -> Option<()> {
        let channel = object(jvm, connection, jvm.channel)?;
        let descriptor: u32 = peek_user(channel.wrapping_add(u64::from(jvm.descriptor)))?;
        if u64::from(descriptor) != self.descriptor {
            return None;
        }
        self.known = 1;
        let publisher = object(jvm, connection, jvm.way[0])?;
        let subscription = object(jvm, publisher, jvm.way[1])?;
        let subscriber = object(jvm, subscription, jvm.way[2])?;
        // Of HTTP/2 there are others.
        if peek_user(subscriber.wrapping_add(CLASS)) != Some(jvm.subscriber) {
            return None;
        }
        let receiver = object(jvm, subscriber, jvm.way[3])?;
        let exchange = object(jvm, receiver, jvm.way[4])?;
        let response = object(jvm, exchange, jvm.way[5])?;
        let reader = object(jvm, response, jvm.way[6])?;
        self.response = object(jvm, reader, jvm.way[7])?;
        Some(())
    }

    /// Starts from a future, or counts it again.
    #[inline(always)]
    fn root(&mut self, address: u64) {
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
    fn push(&mut self, address: u64, links: u32, root: u32) {
        let last = self.counts[WAITING];
        if last < MAX_WAITING as u64 {
            self.waiting[last as usize % MAX_WAITING] = Waiting { address, links, root };
            self.counts[WAITING] = last + 1;
        }
    }

    /// Notes that a thread waits for what a root leads to.
    #[inline(always)]
    fn waits(&mut self, jvm: &Jvm, root: u32, thread: u64) -> Option<()> {
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
    fn ends(&mut self, root: u32, end: u64, waiter: u64, links: u32) {
        let root = &mut self.roots[root as usize % MAX_ROOTS];
        if links > root.links {
            (root.end, root.waiter, root.links) = (end, waiter, links);
        }
    }
}
