//! The threads of an interpreter, found by what must hold of them, since where they are kept changes
//! from version to version and with the options of a build (CPython 3.8 to 3.14,
//! Include/internal/pycore_runtime.h, pycore_interp.h; Include/cpython/pystate.h).

use super::memory::Memory;

/// `PyThreadState.next`, in all of them.
const NEXT: u64 = 8;
/// `PyThreadState.interp`.
const INTERPRETER: u64 = 16;
/// `tcbhead_t.self` in glibc; its first word is the same.
const SELF: u64 = 16;

/// Words of `_PyRuntime` among which is the pointer to the first interpreter's state.
const RUNTIME_WORDS: usize = 512;
/// Words of that among which is the pointer to its first thread's state.
const INTERPRETER_WORDS: usize = 3072;
/// Words of a thread's state among which are its pthread and its context.
pub(super) const THREAD_WORDS: usize = 48;
/// Pointers that are followed at most.
const MAX_LOOKS: u32 = 100_000;
/// Threads that are looked at.
const MAX_THREADS: usize = 64;

/// One thread that runs Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thread {
    /// Its `PyThreadState`.
    pub(super) state: u64,
    /// Where its fs base points to.
    pub(super) pointer: u64,
    /// The first words of its state.
    pub(super) words: Vec<u64>,
}

/// The main interpreter's threads; empty if they are not found.
pub(super) fn threads(memory: &Memory, runtime: u64) -> Vec<Thread> {
    let mut looks = 0;
    let mut tried = vec![];
    for interpreter in memory.words(runtime, RUNTIME_WORDS) {
        if tried.contains(&interpreter) || !memory.holds_data(interpreter) {
            continue;
        }
        tried.push(interpreter);
        for state in memory.words(interpreter, INTERPRETER_WORDS) {
            if !memory.holds_data(state) {
                continue;
            }
            looks += 1;
            if looks > MAX_LOOKS {
                return vec![];
            }
            if memory.word(state.wrapping_add(INTERPRETER)) == Some(interpreter)
                && thread(memory, state).is_some()
            {
                return all(memory, state, interpreter);
            }
        }
    }
    vec![]
}

fn all(memory: &Memory, first: u64, interpreter: u64) -> Vec<Thread> {
    let next = |state: &u64| memory.word(state.wrapping_add(NEXT));
    let belongs = |state: &u64| {
        memory.holds_data(*state)
            && memory.word(state.wrapping_add(INTERPRETER)) == Some(interpreter)
    };
    std::iter::successors(Some(first), next)
        .take_while(belongs)
        .take(MAX_THREADS)
        .filter_map(|state| thread(memory, state))
        .collect()
}

/// A thread's state holds its pthread's address, and that holds its own.
fn thread(memory: &Memory, state: u64) -> Option<Thread> {
    let words = memory.words(state, THREAD_WORDS);
    let is_pthread = |address: &&u64| {
        memory.holds_data(**address)
            && memory.word(**address) == Some(**address)
            && memory.word(address.wrapping_add(SELF)) == Some(**address)
    };
    let pointer = *words.iter().find(is_pthread)?;
    Some(Thread { state, pointer, words })
}
