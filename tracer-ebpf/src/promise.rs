//! What a JavaScript thread works for, in V8's own terms: the promise that nothing else waits for.
//!
//! The microtask that ran last continues an async function or a `then`; whoever awaits that has a
//! reaction in its promise, and so on to the promise at the end of the chain: the way that V8 goes
//! for the async part of `Error.stack` (src/execution/isolate.cc, `CaptureAsyncStackTrace`). All
//! that one handler awaits leads to the handler's own promise, and so does its answer. Offsets hold
//! for V8 10 to 12 without compressed pointers (src/objects/promise.tq, microtask.tq,
//! js-generator.tq, contexts.tq).

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid,
    macros::map,
    maps::{Array, LruHashMap},
};
use tracer_common::runtime::V8;

use crate::{kernel::peek_user, operation::Direction};

#[map]
static THREADS: LruHashMap<u32, Thread> = LruHashMap::with_max_entries(MAX_THREADS, 0);

/// Threads that run JavaScript, of all processes.
const MAX_THREADS: u32 = 1024;
/// Promises whose names are remembered: more than a thread has requests open, or some are forgotten.
const MAX_NAMES: usize = 64;
/// Of these, the latest are looked at to see whether there has been a garbage collection.
const LATEST: usize = 8;

/// What is remembered of a thread; only itself looks at it.
#[repr(C)]
struct Thread {
    /// How far its microtasks were when it last received.
    received: u64,
    /// Promises that were named so far.
    named: u64,
    names: [Name; MAX_NAMES],
}

/// A promise may be moved in memory twice; its name is where it was first, and in the upper bits,
/// which no address has, a count, since others may be there later.
#[repr(C)]
#[derive(Clone, Copy)]
struct Name {
    at: u64,
    name: u64,
}

/// A thread before its first promise, from which entries are made: they do not fit on the stack.
#[map]
static NOBODY: Array<Thread> = Array::with_max_entries(1, 0);

/// Links of the chain that are followed.
const MAX_LINKS: usize = 10;

/// Pointers to objects are their addresses plus one; a number has an even word.
const TAG: u64 = 1;

/// From `MicrotaskQueue.capacity_` on: capacity, first waiting, the ring buffer, how many are done.
const QUEUE: u64 = 16;
/// `HeapObject.map`, and `Map.instance_type`.
const MAP_TYPE: u64 = 12;
/// `PromiseReactionJobTask`: handler, then the promise that it settles.
const JOB: u64 = 24;
/// `JSFunction.context`.
const FUNCTION_CONTEXT: u64 = 32;
/// `Context` slot 2: of the functions that continue an await the awaiting one's object, of those
/// that settle a promise that promise.
const CONTEXT_OWNER: u64 = 32;
/// `JSAsyncFunctionObject.promise`.
const FUNCTION_PROMISE: u64 = 80;
/// `JSPromise`: reactions or result, then flags.
const PROMISE: u64 = 24;
/// Two bits of the flags' number; 0 is pending.
const STATUS: u64 = 3 << 32;
/// `PromiseReaction`: what to do when it is rejected, when it is fulfilled, the promise it settles.
const REACTION: u64 = 16;

/// Names what the thread works for; `None` if no microtask has run since it last received, for then
/// what it does is not a promise's doing.
#[inline(always)]
pub(crate) fn context(v8: &V8, queue: u64, direction: Direction) -> Option<u64> {
    let [capacity, next, ring, done] = peek_user::<[u64; 4]>(queue.wrapping_add(QUEUE))?;
    let progress = (done << 20) ^ next;
    let thread = thread()?;
    if direction == Direction::Receive {
        thread.received = progress;
        return None;
    }
    if thread.received == progress {
        return None;
    }
    let last = next.wrapping_sub(1) & capacity.wrapping_sub(1);
    let job: u64 = peek_user(ring.wrapping_add(last.wrapping_mul(8)))?;
    let kind = kind(job)?;
    if kind != v8.fulfilled && kind != v8.rejected {
        return None;
    }
    let [handler, settles] = field(job, JOB)?;
    Some(thread.name(end(v8, handler, settles)?))
}

#[inline(always)]
fn thread() -> Option<&'static mut Thread> {
    let thread = bpf_get_current_pid_tgid() as u32;
    if THREADS.get_ptr_mut(thread).is_none() {
        THREADS.insert(thread, NOBODY.get(0)?, 0).ok()?;
    }
    // SAFETY: only the current thread looks at its entry.
    unsafe { THREADS.get_ptr_mut(thread)?.as_mut() }
}

impl Thread {
    /// The promise's name, wherever it has been moved meanwhile.
    #[inline(always)]
    fn name(&mut self, promise: u64) -> u64 {
        for known in &self.names {
            if known.at == promise {
                return known.name;
            }
        }
        let moved_lately = (0..LATEST as u64).any(|back| {
            let at = self.names[self.named.wrapping_sub(back) as usize % MAX_NAMES].at;
            matches!(moved(at), Some(Some(_)))
        });
        if moved_lately && let Some(name) = self.refresh(promise) {
            return name;
        }
        self.named += 1;
        let name = promise ^ (self.named << 48);
        self.names[self.named as usize % MAX_NAMES] = Name { at: promise, name };
        name
    }

    /// Follows all to where they have been moved. Returns the promise's name, if one of them is it.
    #[inline(always)]
    fn refresh(&mut self, promise: u64) -> Option<u64> {
        let mut name = None;
        for known in &mut self.names {
            if let Some(Some(at)) = moved(known.at) {
                known.at = at;
                if at == promise {
                    name = Some(known.name);
                }
            }
        }
        name
    }
}

/// The end of the chain that begins with a reaction.
#[inline(always)]
fn end(v8: &V8, mut handler: u64, mut settles: u64) -> Option<u64> {
    let mut last = None;
    for _ in 0..MAX_LINKS {
        let Some(promise) = settled(v8, handler, settles) else { break };
        last = current(promise);
        let Some([reaction, flags]) = field::<[u64; 2]>(promise, PROMISE) else { break };
        if flags & STATUS != 0 || reaction & TAG == 0 {
            break;
        }
        let Some([rejected, _, next]) = field::<[u64; 3]>(reaction, REACTION) else { break };
        (handler, settles) = (rejected, next);
    }
    last
}

/// The promise that a reaction settles in the end: the one of `then`, or that of the async function
/// that goes on, or (`Promise.all` and the like) the one that the handler rejects.
#[inline(always)]
fn settled(v8: &V8, handler: u64, settles: u64) -> Option<u64> {
    if kind(settles)? == v8.promise {
        return Some(settles);
    }
    let context: u64 = field(handler, FUNCTION_CONTEXT)?;
    let owner: u64 = field(context, CONTEXT_OWNER)?;
    let kind = kind(owner)?;
    if kind == v8.async_function {
        field(owner, FUNCTION_PROMISE)
    } else if kind == v8.promise {
        Some(owner)
    } else {
        None
    }
}

/// `HeapObject.map.instance_type`.
#[inline(always)]
fn kind(object: u64) -> Option<u16> {
    let map: u64 = peek(current(object)?)?;
    peek(map.wrapping_add(MAP_TYPE))
}

#[inline(always)]
fn field<T: Copy>(object: u64, offset: u64) -> Option<T> {
    peek(current(object)?.wrapping_add(offset))
}

/// Where an object is now, tagged: the microtask that ran last is not looked after, so what it leads
/// to may be from before the last garbage collection.
#[inline(always)]
fn current(object: u64) -> Option<u64> {
    Some(moved(object)?.unwrap_or(object))
}

/// Where the garbage collector has moved an object, if it has: until the next collection its old
/// place begins with the new address, without a tag (src/objects/objects.h, `MapWord`).
#[inline(always)]
fn moved(object: u64) -> Option<Option<u64>> {
    let word: u64 = peek(object)?;
    Some(if word & TAG == 0 && word != 0 { Some(word | TAG) } else { None })
}

/// Reads at a tagged address.
#[inline(always)]
fn peek<T: Copy>(address: u64) -> Option<T> {
    if address & TAG == 0 { None } else { peek_user(address.wrapping_sub(TAG)) }
}
