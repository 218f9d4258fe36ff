//! Channels of one value (`tokio::sync::oneshot`) by which a task will answer another one that waits
//! for it: found in memory as what only such a channel can be.

use tracer_common::runtime::{NO_POINTER, Wait};

use super::program::{Program, Shape};

/// Words of a channel that are looked at: the value in it may be in front of its wakers.
const CHANNEL: usize = 64;
/// What an `Arc` counts: the sender and the receiver, and nobody weakly.
const BOTH: [u64; 2] = [2, 1];
/// `RX_TASK_SET` and `TX_TASK_SET`: both ends wait, neither is done.
const BOTH_WAIT: u64 = 0b1001;
/// A future that is at most so long is a box, and what is in the box is looked at.
const BOX: u64 = 64;
/// Words of what is in a box, or of a task.
const WORDS: u64 = 1024;

/// A way from a task to whoever waits for it.
pub(super) struct Found {
    pub(super) wait: Wait,
    /// The task that waits.
    pub(super) waiter: u64,
}

/// Where a task leads to such a channel whose sender it is. `waker`: the table of tokio's wakers.
/// Addresses in it are of this process.
pub(super) fn waits(program: &Program<'_>, waker: u64, task: u64, shape: &Shape) -> Vec<Found> {
    let boxed = shape.trailer - shape.id <= BOX;
    let mut found = vec![];
    for (first, at) in pointers(program, task, shape.trailer / 8) {
        let wait = Wait { table: shape.table, first, second: NO_POINTER, waker: 0, state: 0 };
        found.extend(ends(program, waker, task, at, wait));
        if boxed {
            for (second, at) in pointers(program, at, WORDS) {
                found.extend(ends(program, waker, task, at, Wait { second, ..wait }));
            }
        }
    }
    found
}

/// Every pointer to data among the words from an address on, with how far from there it is.
fn pointers(program: &Program<'_>, from: u64, count: u64) -> Vec<(u32, u64)> {
    let words = program.memory.words(from, count.min(WORDS) as usize);
    let far = (0..).step_by(8).zip(words);
    far.filter(|&(_, word)| word != from && program.memory.holds_data(word)).collect()
}

/// The channel at an address, if there is one: its wakers are of the task that sends and of another
/// one. Several, if more than one word may be its state.
fn ends(program: &Program<'_>, waker: u64, task: u64, at: u64, wait: Wait) -> Vec<Found> {
    if program.memory.words(at, 2) != BOTH {
        return vec![];
    }
    let words = program.memory.words(at, CHANNEL);
    let places = (0..).step_by(8).zip(words.windows(2));
    let wakers = places.filter_map(|(far, pair)| match *pair {
        [table, of] if table == waker => Some((far, of)),
        _ => None,
    });
    let (own, others): (Vec<_>, Vec<_>) = wakers.partition(|&(_, of)| of == task);
    let (&[_], &[(far, waiter)]) = (&own[..], &others[..]) else { return vec![] };
    if program.task(waiter).is_none() {
        return vec![];
    }
    let states = (0..).step_by(8).zip(&words).filter(|(_, word)| **word == BOTH_WAIT);
    let found = |(state, _)| Found { wait: Wait { waker: far, state, ..wait }, waiter };
    states.map(found).collect()
}
