//! A way from what works for others to who waits for it.

use tracer_common::runtime::{NO_POINTER, Wait};

use super::program::{Program, Sleeper};

/// Most words that are looked at behind one pointer.
const WORDS: u64 = 1024;
/// Words behind a pointer among which a waker is sought.
const SHARED: usize = 32;
/// `RX_TASK_SET`, `VALUE_SENT` and `CLOSED` of a channel's state (tokio/src/sync/oneshot.rs).
const STATE: u64 = 0b111;
/// Somebody waits, and has not been answered.
const AWAITED: u64 = 0b001;
/// Most references that an `Arc` is believed to count.
const MAX_COUNT: u64 = 1 << 20;

/// One that was seen.
pub(super) struct Way {
    /// With addresses of this process.
    pub(super) wait: Wait,
    /// Where it was seen: what is seen again there is no other sighting.
    pub(super) place: (u64, u64),
    /// At its end.
    pub(super) waiter: Sleeper,
    /// It waits now.
    pub(super) open: bool,
}

impl Way {
    /// Whether it is this one, whose addresses are as far from `base`.
    pub(super) fn leads(&self, wait: &Wait, base: u64) -> bool {
        Wait { table: self.wait.table.wrapping_sub(base), ..self.wait } == *wait
    }
}

/// Every pointer to data among the words from an address on, with how far from there it is; `size` in
/// bytes.
pub(super) fn pointers(program: &Program<'_>, from: u64, size: u64) -> Vec<(u32, u64)> {
    let words = program.memory.words(from, (size / 8).min(WORDS) as usize);
    let far = (0..).step_by(8).zip(words);
    far.filter(|&(_, word)| word != from && program.memory.holds_data(word)).collect()
}

/// Where what another library's wakers wake (one future of a set, one entry of a list) leads to the waker
/// of a task, in something that is shared. `writer`: a task at the other end, which is not meant.
///
/// How long it is, nobody knows; so these may be ways of its neighbours in memory, too, which are longer.
pub(super) fn shared(
    program: &Program<'_>,
    waker: u64,
    table: u64,
    from: u64,
    writer: u64,
) -> Vec<Way> {
    let mut found = vec![];
    let pointers = pointers(program, from, u64::MAX);
    let addresses: Vec<u64> = pointers.iter().map(|(_, at)| *at).collect();
    let read = program.memory.words_at(&addresses, SHARED);
    for ((first, _), words) in pointers.into_iter().zip(read) {
        if !is_shared(&words) {
            continue;
        }
        let pairs = words.windows(2).filter_map(|pair| <[u64; 2]>::try_from(pair).ok());
        let own = (0..).step_by(8).zip(pairs).filter(|(_, [table, _])| *table == waker);
        for (far, pair) in own {
            let Some(waiter) = program.sleeper(waker, pair) else { continue };
            if waiter.at() != writer {
                let state = NO_POINTER;
                let wait = Wait { table, first, second: NO_POINTER, waker: far, state };
                found.push(Way { wait, place: (from, 0), waiter, open: true });
            }
        }
    }
    found
}

/// Whether this is what an `Arc` leads to: two counts, of those that hold it and of those that know it.
fn is_shared(words: &[u64]) -> bool {
    let counted = |count: &u64| (1..MAX_COUNT).contains(count);
    words.len() > 1 && words.iter().take(2).all(counted)
}

/// Whether a way as [`shared`] finds them leads to a waker that has been taken: who waited there is about
/// to run.
pub(super) fn is_taken(program: &Program<'_>, wait: &Wait, from: u64) -> bool {
    let Some(at) = program.memory.word(from.wrapping_add(wait.first.into())) else { return false };
    let words = program.memory.words(at, SHARED);
    is_shared(&words) && words.get((wait.waker / 8) as usize) == Some(&0)
}

/// Who waits at the end of a way that is known; `None` if nobody does any more, and what is there has been
/// left behind.
pub(super) fn follow(program: &Program<'_>, waker: u64, wait: &Wait, from: u64) -> Option<Sleeper> {
    let word = |at: u64, far: u32| program.memory.word(at.wrapping_add(far.into()));
    let mut at = word(from, wait.first)?;
    if wait.second != NO_POINTER {
        at = word(at, wait.second)?;
    }
    if wait.state != NO_POINTER && word(at, wait.state)? & STATE != AWAITED {
        return None;
    }
    program.sleeper(waker, [word(at, wait.waker)?, word(at, wait.waker + 8)?])
}
