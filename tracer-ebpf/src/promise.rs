//! What a JavaScript thread works for, in V8's own terms: the promise that nothing else waits for.
//!
//! The microtask that ran last continues an async function or a `then`; whoever awaits that has a
//! reaction in its promise, and so on to the promise at the end of the chain: the way that V8 goes
//! for the async part of `Error.stack` (src/execution/isolate.cc, `CaptureAsyncStackTrace`). All
//! that one handler awaits leads to the handler's own promise, and so does its answer. Offsets hold
//! for V8 10 to 12 without compressed pointers (src/objects/promise.tq, microtask.tq,
//! js-generator.tq, contexts.tq).

use aya_ebpf::{helpers::bpf_get_current_pid_tgid, macros::map, maps::LruHashMap};
use tracer_common::runtime::{MAX_RUNTIMES, V8};

use crate::{flow::peek_user, operation::Direction};

/// Thread -> how far its microtasks were when it last received.
#[map]
static RECEIVED: LruHashMap<u32, u64> = LruHashMap::with_max_entries(MAX_RUNTIMES, 0);

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
    let thread = bpf_get_current_pid_tgid() as u32;
    let [capacity, next, ring, done] = peek_user::<[u64; 4]>(queue.wrapping_add(QUEUE))?;
    let progress = (done << 20) ^ next;
    if direction == Direction::Receive {
        // If the map is full of threads that are busier, what this one does stays unnamed.
        let _ = RECEIVED.insert(thread, progress, 0);
        return None;
    }
    // SAFETY: the value is read at once; only this thread writes it.
    if unsafe { RECEIVED.get(thread) }.is_none_or(|&received| received == progress) {
        return None;
    }
    let last = next.wrapping_sub(1) & capacity.wrapping_sub(1);
    let job: u64 = peek_user(ring.wrapping_add(last.wrapping_mul(8)))?;
    let kind = kind(job)?;
    if kind != v8.fulfilled && kind != v8.rejected {
        return None;
    }
    let [handler, settles] = field(job, JOB)?;
    end(v8, handler, settles)
}

/// The end of the chain that begins with a reaction.
#[inline(always)]
fn end(v8: &V8, mut handler: u64, mut settles: u64) -> Option<u64> {
    let mut last = None;
    for _ in 0..MAX_LINKS {
        let Some(promise) = settled(v8, handler, settles) else { break };
        last = Some(promise);
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
    let map: u64 = field(object, 0)?;
    field(map, MAP_TYPE)
}

#[inline(always)]
fn field<T: Copy>(object: u64, offset: u64) -> Option<T> {
    if object & TAG == 0 {
        return None;
    }
    peek_user(object.wrapping_sub(TAG).wrapping_add(offset))
}
