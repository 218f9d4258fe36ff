//! Channels of one value (`tokio::sync::oneshot`) by which a task will answer whoever waits for it:
//! found in memory as what only such a channel can be.

use tracer_common::runtime::{NO_POINTER, Wait};

use super::program::{Program, Shape, Sleeper};
use super::way::{Way, pointers};

/// Words of a channel that are looked at: the value in it may be in front of its wakers.
const CHANNEL: usize = 64;
/// What an `Arc` counts: the sender and the receiver, and nobody weakly.
const BOTH: [u64; 2] = [2, 1];
/// `RX_TASK_SET` and `TX_TASK_SET`: both ends wait, neither is done.
const BOTH_WAIT: u64 = 0b1001;
/// The same and `VALUE_SENT`. The channel is left behind in memory like that, so that a service is
/// known that has been busy before the tracer came.
const OVER: u64 = 0b1011;
/// The two wakers are fields of one type, and so lie side by side: bytes from one to the other.
const WAKER: u32 = 16;
/// The state is no farther from them.
const NEAR: u32 = 64;
/// A future that is at most so long (bytes) is a box, and what is in the box is looked at.
const BOX: u64 = 64;
/// Bytes of that.
const BOXED: u64 = 4096;

/// Where a task leads to such channels whose sender it is. `waker`: the table of tokio's wakers.
pub(super) fn ways(program: &Program<'_>, waker: u64, task: u64, shape: &Shape) -> Vec<Way> {
    let boxed = shape.trailer - shape.id <= BOX;
    let outer = pointers(program, task, shape.trailer);
    let waits = |first| Wait { table: shape.table, first, second: NO_POINTER, waker: 0, state: 0 };
    let mut places: Vec<(u64, Wait)> = vec![];
    places.extend(outer.iter().map(|&(first, at)| (at, waits(first))));
    if boxed {
        for &(first, at) in &outer {
            let inner = pointers(program, at, BOXED).into_iter();
            places.extend(inner.map(|(second, at)| (at, Wait { second, ..waits(first) })));
        }
    }
    let addresses: Vec<u64> = places.iter().map(|(at, _)| *at).collect();
    let read = program.memory.words_at(&addresses, CHANNEL);
    let ends = |((at, wait), words)| ends(program, waker, task, at, words, wait);
    places.into_iter().zip(read).flat_map(ends).collect()
}

/// The channel at an address where these words are, if it is one: it has wakers of the task that sends and of another
/// one. Several, if more than one word may be its state, or the other one.
fn ends(
    program: &Program<'_>,
    waker: u64,
    task: u64,
    at: u64,
    words: Vec<u64>,
    wait: Wait,
) -> Vec<Way> {
    let open = words.starts_with(&BOTH);
    let wanted = if open { BOTH_WAIT } else { OVER };
    let pairs = || {
        let pairs = words.windows(2).filter_map(|pair| <[u64; 2]>::try_from(pair).ok());
        (0_u32..).step_by(8).zip(pairs)
    };
    // What is farther away belongs to a neighbour in memory.
    let first = pairs().find(|(_, [table, _])| *table == waker).map_or(0, |(far, _)| far);
    let mut near = pairs().take_while(|(far, _)| *far <= first + WAKER);
    let Some((own, _)) = near.find(|(_, pair)| *pair == [waker, task]) else { return vec![] };
    let beside = pairs().filter(|(far, _)| far.abs_diff(own) == WAKER);
    let others = beside.filter_map(|(far, pair)| Some((far, program.sleeper(waker, pair)?)));
    let others: Vec<(u32, Sleeper)> = others.filter(|(_, other)| other.at() != task).collect();
    let near = |(far, _): &(u32, _)| far.abs_diff(own) <= NEAR;
    let states = (0..).step_by(8).zip(&words).filter(near).filter(|(_, word)| **word == wanted);
    let both = states.flat_map(|(state, _)| {
        others.iter().map(move |&(far, waiter)| (Wait { waker: far, state, ..wait }, waiter))
    });
    both.map(|(wait, waiter)| Way { wait, place: (at, waiter.at()), waiter, open }).collect()
}
