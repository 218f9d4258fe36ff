//! gevent: a thread's greenlets, of which most never use a context (contextvars), so they are their
//! own names. Which one runs is told by greenlet's state of the thread, a thread-local variable of
//! its module (TThreadState.hpp, greenlet 1.1 to 3.x): the thread's main greenlet, then the current
//! one.

use tracer_common::record::FLOW_PYTHON;
use tracer_common::runtime::Runtime;

use super::memory::Memory;
use super::threads::Thread;

/// Where glibc's thread pointer has the thread's table of blocks of thread-local variables (`tcbhead_t.dtv`),
/// bytes.
const TABLE: u64 = 8;
/// The table has an entry of two words for each module that has such variables; entry 0 is its head.
const ENTRY: u64 = 16;
/// Modules that are looked at.
const MAX_MODULES: u64 = 64;
/// Words of a block among which the pointer to the state is.
const BLOCK: usize = 32;
/// Words of the state among which are the two greenlets.
const STATE: usize = 6;

/// `PyObject.ob_type`, `PyTypeObject.tp_name` and `tp_base`, bytes, of builds with a GIL.
const TYPE: u64 = 8;
const NAME: u64 = 24;
const BASE: u64 = 256;
/// Classes between a greenlet's and the first of all.
const MAX_BASES: usize = 8;
const GREENLET: &[u8; 18] = b"greenlet.greenlet\0";

/// Where threads have the greenlet that they run; `None` where gevent is not loaded, or has not
/// switched yet.
pub(super) fn runtime(memory: &Memory, threads: &[Thread]) -> Option<Runtime> {
    let uses = |path: &std::path::Path| path.iter().any(|part| part == "gevent");
    memory.files().find(|(_, path)| uses(path))?;
    threads.iter().find_map(|thread| of_thread(memory, thread))
}

fn of_thread(memory: &Memory, thread: &Thread) -> Option<Runtime> {
    let table = memory.word(thread.pointer.wrapping_add(TABLE))?;
    (1..=MAX_MODULES).find_map(|module| {
        let block = memory.word(table.wrapping_add(ENTRY * module))?;
        let words = memory.words(block, BLOCK).into_iter().zip(0..);
        let (current, variable) = words
            .filter(|(state, _)| memory.holds_data(*state))
            .find_map(|(state, at)| Some((current(memory, state)?, 8 * at)))?;
        let path = [TABLE as i32, (ENTRY * module) as i32, variable, 0];
        let kind = FLOW_PYTHON;
        Some(Runtime { kind, steps: 3, path, context: current, ..Runtime::default() })
    })
}

/// Where a state has the current greenlet, bytes, if it is one.
fn current(memory: &Memory, state: u64) -> Option<i32> {
    let words = memory.words(state, STATE);
    let both = |pair: &[u64]| pair.iter().all(|&object| is_greenlet(memory, object));
    Some(8 * (words.windows(2).position(both)? as i32 + 1))
}

fn is_greenlet(memory: &Memory, object: u64) -> bool {
    let class = memory.holds_data(object).then(|| memory.word(object.wrapping_add(TYPE))).flatten();
    let base = |class: &u64| memory.word(class.wrapping_add(BASE)).filter(|&base| base != 0);
    std::iter::successors(class, base).take(MAX_BASES).any(|class| {
        let name = memory.word(class.wrapping_add(NAME)).unwrap_or_default();
        memory.bytes::<{ GREENLET.len() }>(name) == GREENLET
    })
}
