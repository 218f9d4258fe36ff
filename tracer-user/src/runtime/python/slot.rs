//! Where a thread keeps the pointer to its `PyThreadState`, seen from its fs base.
//!
//! Not the thread-local variable of the thread that holds the GIL (`_Py_tss_tstate`, since 3.12):
//! that is empty while a thread sends or receives. What stays is the one of `PyGILState_Ensure`: up
//! to 3.13 a pthread key (`_PyRuntime.autoTSSkey`), later a thread-local variable
//! (`_Py_tss_gilstate`).

use super::memory::Memory;
use super::threads::Thread;

/// From fs base on: glibc's `struct pthread` up to the end of its pointers to further keys (2.4 and
/// newer, nptl/descr.h: the first 32 keys are at 0x310, 16 bytes each, pointers to the others behind).
const BEYOND: usize = 0x610 / 8;
/// Keys that one of those pointers leads to.
const BLOCK: usize = 2 * 32;
/// Thread-local variables of the program and of libraries that it was started with: below fs base.
const BELOW: usize = 0x800 / 8;

/// One or two steps from fs base to the `PyThreadState`, the same in every thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// How many of `path` count.
    pub(super) steps: u32,
    /// Bytes.
    pub(super) path: [i32; 2],
}

impl Slot {
    /// The first that leads to the state in every thread.
    pub(super) fn find(memory: &Memory, threads: &[Thread]) -> Option<Self> {
        let (first, others) = threads.split_first()?;
        candidates(memory, first)
            .into_iter()
            .find(|slot| others.iter().all(|thread| slot.leads(memory, thread)))
    }

    /// Whether it leads from the thread to its state.
    pub(super) fn leads(&self, memory: &Memory, thread: &Thread) -> bool {
        let steps = self.path.iter().take(self.steps as usize);
        let at = steps.copied().try_fold(thread.pointer, |at, step| {
            memory.word(at.wrapping_add_signed(i64::from(step)))
        });
        at == Some(thread.state)
    }
}

/// Keys first: what is below fs base may be a stack, with anything on it.
fn candidates(memory: &Memory, thread: &Thread) -> Vec<Slot> {
    let beyond = memory.words(thread.pointer, BEYOND);
    let direct = places(&beyond, thread.state).map(|at| slot(&[at]));
    let through = beyond.iter().enumerate().filter(|(_, block)| memory.holds_data(**block));
    let through = through.flat_map(|(at, &block)| {
        let keys = memory.words(block, BLOCK);
        let found: Vec<_> = places(&keys, thread.state).collect();
        found.into_iter().map(move |key| slot(&[at as i32 * 8, key]))
    });
    let below = memory.words(thread.pointer.wrapping_sub(8 * BELOW as u64), BELOW);
    let variables = places(&below, thread.state).map(|at| slot(&[at - 8 * BELOW as i32]));
    direct.chain(through).chain(variables).collect()
}

fn places(words: &[u64], wanted: u64) -> impl Iterator<Item = i32> {
    let at = words.iter().enumerate().filter(move |(_, word)| **word == wanted);
    at.map(|(at, _)| at as i32 * 8)
}

fn slot(steps: &[i32]) -> Slot {
    let mut path = [0; 2];
    path.iter_mut().zip(steps).for_each(|(to, from)| *to = *from);
    Slot { steps: steps.len() as u32, path }
}
