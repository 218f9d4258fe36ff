//! Draws assignments of calls to requests, each as often as it is likely. An assignment is changed a
//! little at a time (two calls change places, or all that two requests did from a call on, or one
//! call moves), and the change is kept with the probability that it deserves against what was before
//! (Barker's rule). The shares of time that a call spends with its candidates converge to their
//! probabilities given everything: other calls' owners are never taken for granted.

use std::ops::Range;

use fastrand::Rng;

use super::background::Background;
use super::made::{Made, NOBODY};
use super::memo::{Memo, mark};
use super::open::Open;
use super::route::Route;
use super::story::Story;

/// A move to a request that has such a call already is tried this seldom.
const SELDOM: f64 = 0.125;
/// A candidate for whom nothing spoke more than this before counting began is not looked at again.
const COLD: f32 = 1e-4;

/// A call is left alone until the next round when no change was likelier than this.
const CALM: f32 = 1e-3;

/// The longest span of calls, in the order of the window, that is exchanged as one, between requests
/// of which one makes more calls than [`LONG`].
const SPAN: u32 = 32;
const LONG: usize = 3;

/// Candidates that are looked at in one visit of a call.
const AT_ONCE: usize = 8;

/// Works on one window, with what was learned so far.
pub(super) struct Sampler<'a> {
    pub(super) routes: &'a [Route],
    pub(super) background: &'a Background,
    pub(super) requests: &'a mut [Open],
    pub(super) calls: &'a mut [Made],
    pub(super) rng: &'a mut Rng,
    pub(super) scratch: &'a mut Scratch,
    /// Whether what is seen is counted.
    pub(super) counting: bool,
}

/// Kept to save allocations.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) story: Story,
    memo: Memo,
    list: Vec<u32>,
    pairs: Vec<u32>,
    change: Change,
    /// How likely the likeliest change of this visit was.
    likeliest: f32,
}

/// Calls that two requests, either of which may stand for nobody, would exchange.
#[derive(Debug, Default)]
struct Change {
    left: u32,
    right: u32,
    /// From left to right.
    away: Vec<u32>,
    /// From right to left.
    back: Vec<u32>,
}

impl Sampler<'_> {
    /// Scores everything anew, because what was learned has changed.
    pub(super) fn rescore(&mut self) {
        self.scratch.memo.clear();
        self.calls.iter_mut().for_each(|call| call.calm = false);
        for request in 0..self.requests.len() as u32 {
            self.requests[request as usize].score = self.score(request, &[], &[]);
        }
    }

    /// Gives each of some calls, which come in order, to the candidate whom it suits best as things
    /// are. When requests were answered is not looked at: no answer fits before all calls are placed.
    pub(super) fn place(&mut self, calls: &[u32]) {
        let whole: Vec<_> =
            self.requests.iter_mut().map(|open| std::mem::take(&mut open.whole)).collect();
        self.rescore();
        calls.iter().for_each(|&call| self.place_one(call));
        for (open, whole) in self.requests.iter_mut().zip(whole) {
            open.whole = whole;
        }
    }

    fn place_one(&mut self, call: u32) {
        let Some(made) = self.calls.get(call as usize) else { return };
        let mut best = (NOBODY, self.background.rate(made.key), 0.0);
        for at in 0..made.candidates.len() {
            let (request, odds) = self.calls[call as usize].candidates[at];
            let score = self.score(request, &[], &[call]);
            let gain = score - self.total(request) + f64::from(odds);
            if gain > best.1 {
                best = (request, gain, score);
            }
        }
        self.calls[call as usize].owner = best.0;
        if let Some(request) = self.requests.get_mut(best.0 as usize) {
            insert(&mut request.calls, call);
            request.mark = request.mark.wrapping_add(mark(call));
            request.score = best.2;
        }
    }

    /// From now on what is seen is counted.
    pub(super) fn count(&mut self) {
        self.counting = true;
        self.calls.iter_mut().for_each(|call| call.calm = false);
    }

    /// Looks once at every call that is not settled, nor as good as certain.
    pub(super) fn sweep(&mut self) {
        for call in 0..self.calls.len() as u32 {
            let made = &self.calls[call as usize];
            if made.settled || made.calm {
                continue;
            }
            let all = made.candidates.len() <= AT_ONCE;
            self.scratch.likeliest = 0.0;
            self.visit(call);
            self.calls[call as usize].calm = all && self.scratch.likeliest < CALM;
        }
    }

    fn visit(&mut self, call: u32) {
        let key = self.calls[call as usize].key;
        let count = self.calls[call as usize].candidates.len();
        let first = if count > AT_ONCE { self.rng.usize(..count) } else { 0 };
        for at in (first..first + count.min(AT_ONCE)).map(|at| at % count) {
            let made = &self.calls[call as usize];
            let (other, _) = made.candidates[at];
            if other == made.owner || (self.counting && (0.0..COLD).contains(&made.heat[at])) {
                continue;
            }
            let mut pairs = std::mem::take(&mut self.scratch.pairs);
            let theirs = self.requests[other as usize].calls.iter().copied();
            pairs.clear();
            pairs.extend(theirs.filter(|&theirs| self.calls[theirs as usize].key == key));
            for &pair in &pairs {
                self.swap(call, pair);
                self.swap_spans(call, other, call.min(pair)..u32::MAX);
            }
            self.swap_spans(call, other, 0..u32::MAX);
            if self.is_long(call) {
                let long = self.rng.u32(1..SPAN);
                self.swap_spans(call, other, call..call.saturating_add(long));
            }
            let taken = !pairs.is_empty();
            self.scratch.pairs = pairs;
            if !taken || self.rng.f64() < SELDOM {
                self.shift(call, other);
            }
        }
        self.shift(call, NOBODY);
    }

    fn swap(&mut self, one: u32, two: u32) {
        let (left, right) = (self.calls[one as usize].owner, self.calls[two as usize].owner);
        let mut change = self.change(left, right);
        change.away.push(one);
        change.back.push(two);
        self.consider(change, 0.0);
    }

    /// Whether the request that a call is thought to be of makes so many that tails are not enough.
    fn is_long(&self, call: u32) -> bool {
        let owner = self.calls.get(call as usize).map_or(NOBODY, |call| call.owner);
        self.requests.get(owner as usize).is_some_and(|open| open.calls.len() > LONG)
    }

    /// Exchanges all that a call's owner and another request did from a call up to another.
    fn swap_spans(&mut self, call: u32, right: u32, span: Range<u32>) {
        let left = self.calls[call as usize].owner;
        if left == NOBODY || left == right {
            return;
        }
        let mut change = self.change(left, right);
        for (request, out) in [(left, &mut change.away), (right, &mut change.back)] {
            let calls = &self.requests[request as usize].calls;
            out.extend(calls.iter().filter(|&call| span.contains(call)));
        }
        // With one call on a side it is the same as a swap or a move.
        if change.away.len().max(change.back.len()) > 1 {
            self.consider(change, 0.0);
        } else {
            self.scratch.change = change;
        }
    }

    /// Moves a call elsewhere, or to nobody.
    fn shift(&mut self, call: u32, to: u32) {
        let from = self.calls[call as usize].owner;
        let mut change = self.change(from, to);
        let seldom = |request: u32| if self.has(request, call) { SELDOM.ln() } else { 0.0 };
        let balance = seldom(from) - seldom(to);
        change.away.push(call);
        self.consider(change, balance);
    }

    /// Whether a request has a call of the same key besides.
    fn has(&self, request: u32, call: u32) -> bool {
        let key = self.calls[call as usize].key;
        let same = |&other: &u32| other != call && self.calls[other as usize].key == key;
        self.requests.get(request as usize).is_some_and(|request| request.calls.iter().any(same))
    }

    fn change(&mut self, left: u32, right: u32) -> Change {
        let mut change = std::mem::take(&mut self.scratch.change);
        (change.left, change.right) = (left, right);
        change.away.clear();
        change.back.clear();
        change
    }

    /// Makes a change with the probability that it deserves; `balance`: the logarithm of how much
    /// more seldom it is thought of than its reverse.
    fn consider(&mut self, change: Change, balance: f64) {
        let Change { left, right, .. } = change;
        if let Some(odds) = self.odds(&change).filter(|_| left != right) {
            let new_left = self.score(left, &change.away, &change.back);
            let new_right = self.score(right, &change.back, &change.away);
            let before = self.total(left) + self.total(right);
            let gain = new_left + new_right - before + odds + balance;
            let chance = 1.0 / (1.0 + (-gain).exp());
            self.scratch.likeliest = self.scratch.likeliest.max(chance as f32);
            self.note(&change, chance as f32);
            if self.rng.f64() < chance {
                self.make(left, &change.away, &change.back, new_left);
                self.make(right, &change.back, &change.away, new_right);
            }
        }
        self.scratch.change = change;
    }

    /// What other evidence says of a change; `None` if it can't be.
    fn odds(&self, change: &Change) -> Option<f64> {
        let mut odds = 0.0;
        let moves =
            [(&change.away, change.left, change.right), (&change.back, change.right, change.left)];
        for (list, from, to) in moves {
            for &call in list {
                let call = &self.calls[call as usize];
                odds += self.prior(call, to)? - self.prior(call, from)?;
            }
        }
        Some(odds)
    }

    fn prior(&self, call: &Made, request: u32) -> Option<f64> {
        match request {
            _ if call.settled => None,
            NOBODY => Some(self.background.rate(call.key)),
            _ => call.odds(request).map(f64::from),
        }
    }

    fn note(&mut self, change: &Change, chance: f32) {
        let moves =
            [(&change.away, change.left, change.right), (&change.back, change.right, change.left)];
        for (list, from, to) in moves {
            for &call in list {
                let call = &mut self.calls[call as usize];
                if self.counting {
                    call.credit(to, chance);
                    call.credit(from, 1.0 - chance);
                } else {
                    call.warm(to, chance);
                    call.warm(from, 1.0 - chance);
                }
            }
        }
    }

    fn make(&mut self, request: u32, out: &[u32], back: &[u32], score: f64) {
        back.iter().for_each(|&call| self.calls[call as usize].owner = request);
        let Some(open) = self.requests.get_mut(request as usize) else { return };
        open.calls.retain(|call| !out.contains(call));
        back.iter().for_each(|&call| insert(&mut open.calls, call));
        open.mark = changed(open.mark, out, back);
        open.score = score;
    }

    fn total(&self, request: u32) -> f64 {
        self.requests.get(request as usize).map_or(0.0, |open| open.score)
    }

    /// The score of a request without some of its calls, with others instead.
    fn score(&mut self, request: u32, out: &[u32], back: &[u32]) -> f64 {
        let Some(open) = self.requests.get(request as usize) else { return 0.0 };
        let name = changed(open.mark, out, back) ^ mark(request).rotate_left(32);
        if let Some(score) = self.scratch.memo.get(name) {
            return score;
        }
        let Some(route) = self.routes.get(open.route) else { return 0.0 };
        let list = &mut self.scratch.list;
        list.clear();
        list.extend(open.calls.iter().filter(|call| !out.contains(call)));
        back.iter().for_each(|&call| insert(list, call));
        let score = self.scratch.story.score(route, open, list, self.calls);
        self.scratch.memo.put(name, score);
        score
    }
}

fn changed(name: u64, out: &[u32], back: &[u32]) -> u64 {
    let less = out.iter().fold(name, |name, &call| name.wrapping_sub(mark(call)));
    back.iter().fold(less, |name, &call| name.wrapping_add(mark(call)))
}

fn insert(list: &mut Vec<u32>, call: u32) {
    let at = list.partition_point(|&other| other < call);
    list.insert(at, call);
}
