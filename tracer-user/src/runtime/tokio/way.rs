//! A way from what works for others to who waits for it.

use tracer_common::runtime::{NO_POINTER, Wait};

use super::program::{Program, Sleeper};

/// Most words that are looked at behind one pointer.
const WORDS: u64 = 1024;
/// Words behind a pointer among which a waker is sought.
const SHARED: usize = 32;
/// Most references that an `Arc` is believed to count.
const MAX_COUNT: u64 = 1 << 20;

/// One that was seen.
pub(super) struct Way {
    /// With addresses of this process.
    pub(super) wait: Wait,
    /// Address of what the last pointer leads to.
    pub(super) through: u64,
    /// At its end.
    pub(super) waiter: Sleeper,
    /// It waits now.
    pub(super) open: bool,
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
    for ((first, at), words) in pointers.into_iter().zip(read) {
        let counted = |count: &u64| (1..MAX_COUNT).contains(count);
        if !words.iter().take(2).all(counted) {
            continue;
        }
        let pairs = words.windows(2).filter_map(|pair| <[u64; 2]>::try_from(pair).ok());
        let own = (0..).step_by(8).zip(pairs).filter(|(_, [table, _])| *table == waker);
        for (far, pair) in own {
            let Some(waiter) = program.sleeper(waker, pair) else { continue };
            if waiter.at() != writer {
                let state = NO_POINTER;
                let wait = Wait { table, first, second: NO_POINTER, waker: far, state };
                found.push(Way { wait, through: at, waiter, open: true });
            }
        }
    }
    found
}

/// Who waits at the end of a way that is known.
pub(super) fn follow(program: &Program<'_>, waker: u64, wait: &Wait, from: u64) -> Option<Sleeper> {
    let word = |at: u64, far: u32| program.memory.word(at.wrapping_add(far.into()));
    let mut at = word(from, wait.first)?;
    if wait.second != NO_POINTER {
        at = word(at, wait.second)?;
    }
    program.sleeper(waker, [word(at, wait.waker)?, word(at, wait.waker + 8)?])
}
