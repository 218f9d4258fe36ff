//! Draws assignments of calls to requests, each as often as it is likely. An assignment is changed a
//! little at a time (two calls change places, or all that two requests did from an instant on, or
//! one call moves), and the change is kept with the probability that it deserves against what was
//! before (Barker's rule). The shares of time that a call spends with its candidates converge to
//! their probabilities given everything: other calls' owners are never taken for granted.

use fastrand::Rng;

use super::background::Background;
use super::route::Route;
use super::story::Story;
use super::window::{Made, NOBODY, Open};

/// A move to a request that has such a call already is tried this seldom.
const SELDOM: f64 = 0.125;

/// A candidate for whom nothing spoke more than this before counting began is not looked at again.
const COLD: f32 = 1e-4;

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
    left: Vec<u32>,
    right: Vec<u32>,
    pairs: Vec<u32>,
}

impl Sampler<'_> {
    /// Scores everything anew, because what was learned has changed.
    pub(super) fn rescore(&mut self) {
        for request in 0..self.requests.len() {
            let calls = std::mem::take(&mut self.requests[request].calls);
            self.requests[request].score = self.score(request as u32, &calls);
            self.requests[request].calls = calls;
        }
    }

    /// Gives a call to the candidate whom it suits best as things are.
    pub(super) fn place(&mut self, call: u32) {
        let Some(made) = self.calls.get(call as usize) else { return };
        let mut best = (NOBODY, self.background.rate(made.key), 0.0);
        let mut list = std::mem::take(&mut self.scratch.left);
        for at in 0..self.calls[call as usize].candidates.len() {
            let (request, odds) = self.calls[call as usize].candidates[at];
            list.clone_from(&self.requests[request as usize].calls);
            insert(&mut list, call);
            let score = self.score(request, &list);
            let gain = score - self.requests[request as usize].score + f64::from(odds);
            if gain > best.1 {
                best = (request, gain, score);
            }
        }
        self.scratch.left = list;
        self.calls[call as usize].owner = best.0;
        if let Some(request) = self.requests.get_mut(best.0 as usize) {
            insert(&mut request.calls, call);
            request.score = best.2;
        }
    }

    /// Looks once at every call that is not settled.
    pub(super) fn sweep(&mut self) {
        for call in 0..self.calls.len() as u32 {
            if !self.calls[call as usize].settled {
                self.visit(call);
            }
        }
    }

    fn visit(&mut self, call: u32) {
        for at in 0..self.calls[call as usize].candidates.len() {
            let (other, _) = self.calls[call as usize].candidates[at];
            let owner = self.calls[call as usize].owner;
            if other == owner || (self.counting && self.calls[call as usize].heat[at] < COLD) {
                continue;
            }
            self.pairs(call, other);
            let pairs = std::mem::take(&mut self.scratch.pairs);
            for &pair in &pairs {
                self.swap(call, pair);
                let owner = self.calls[call as usize].owner;
                if owner != NOBODY && owner != other {
                    self.swap_tails(owner, other, call.min(pair));
                    self.swap_tails(owner, other, 0);
                }
            }
            let taken = !pairs.is_empty();
            self.scratch.pairs = pairs;
            if !taken || self.rng.f64() < SELDOM {
                self.shift(call, other);
            }
        }
        self.shift(call, NOBODY);
    }

    /// Calls of the same key that another request is thought to have made.
    fn pairs(&mut self, call: u32, of: u32) {
        let key = self.calls[call as usize].key;
        let calls = &*self.calls;
        let same = |other: &u32| calls[*other as usize].key == key && !calls[*other as usize].settled;
        self.scratch.pairs.clear();
        self.scratch.pairs.extend(self.requests[of as usize].calls.iter().copied().filter(same));
    }

    fn swap(&mut self, one: u32, two: u32) {
        let (left, right) = (self.calls[one as usize].owner, self.calls[two as usize].owner);
        if left == right || !self.may(one, right) || !self.may(two, left) {
            return;
        }
        let mut lists = self.lists(left, right);
        remove(&mut lists.0, one);
        remove(&mut lists.1, two);
        insert(&mut lists.0, two);
        insert(&mut lists.1, one);
        self.propose(left, right, lists, 0.0);
    }

    /// Exchanges all that two requests did from a call on.
    fn swap_tails(&mut self, left: u32, right: u32, from: u32) {
        let mut lists = self.lists(left, right);
        let (at, to) = (lists.0.partition_point(|&c| c < from), lists.1.partition_point(|&c| c < from));
        let (mine, theirs) = (lists.0.split_off(at), lists.1.split_off(to));
        let may = mine.iter().all(|&c| self.may(c, right)) && theirs.iter().all(|&c| self.may(c, left));
        // With one call each it is the same as a swap.
        if !may || mine.len() + theirs.len() <= 2 {
            (self.scratch.left, self.scratch.right) = lists;
            return;
        }
        lists.0.extend(theirs);
        lists.1.extend(mine);
        self.propose(left, right, lists, 0.0);
    }

    /// Moves a call elsewhere, or to nobody.
    fn shift(&mut self, call: u32, to: u32) {
        let from = self.calls[call as usize].owner;
        if from == to {
            return;
        }
        let seldom = |request: u32| if self.has(request, call) { SELDOM.ln() } else { 0.0 };
        let balance = seldom(from) - seldom(to);
        let mut lists = self.lists(from, to);
        remove(&mut lists.0, call);
        insert(&mut lists.1, call);
        self.propose(from, to, lists, balance);
    }

    /// Whether a request has a call of the same key besides.
    fn has(&self, request: u32, call: u32) -> bool {
        let key = self.calls[call as usize].key;
        self.requests.get(request as usize).is_some_and(|request| {
            request.calls.iter().any(|&other| other != call && self.calls[other as usize].key == key)
        })
    }

    fn lists(&mut self, left: u32, right: u32) -> (Vec<u32>, Vec<u32>) {
        let mut lists =
            (std::mem::take(&mut self.scratch.left), std::mem::take(&mut self.scratch.right));
        for (list, request) in [(&mut lists.0, left), (&mut lists.1, right)] {
            list.clear();
            list.extend(self.requests.get(request as usize).into_iter().flat_map(|open| &open.calls));
        }
        lists
    }

    /// Whether a call may be of this request, or of nobody.
    fn may(&self, call: u32, request: u32) -> bool {
        let call = &self.calls[call as usize];
        !call.settled && (request == NOBODY || call.odds(request).is_some())
    }

    /// Two requests, either of which may stand for nobody, with these calls instead.
    fn propose(&mut self, left: u32, right: u32, lists: (Vec<u32>, Vec<u32>), balance: f64) {
        let (new_left, new_right) = (self.score(left, &lists.0), self.score(right, &lists.1));
        let before = self.total(left) + self.total(right);
        let mut gain = new_left + new_right - before + balance;
        for (list, request, other) in [(&lists.0, left, right), (&lists.1, right, left)] {
            for &call in list {
                let made = &self.calls[call as usize];
                if made.owner == other {
                    gain += self.odds(made, request) - self.odds(made, other);
                }
            }
        }
        let chance = 1.0 / (1.0 + (-gain).exp());
        if !self.counting {
            self.warm(left, &lists.0, right, chance as f32);
            self.warm(right, &lists.1, left, chance as f32);
        }
        if self.counting {
            self.count(left, &lists.0, right, chance as f32);
            self.count(right, &lists.1, left, chance as f32);
        }
        let lists = if self.rng.f64() < chance {
            self.accept(left, right, lists, (new_left, new_right))
        } else {
            lists
        };
        (self.scratch.left, self.scratch.right) = lists;
    }

    fn warm(&mut self, to: u32, list: &[u32], from: u32, chance: f32) {
        for &call in list {
            let made = &mut self.calls[call as usize];
            if made.owner == from && !made.settled {
                made.warm(to, chance);
                made.warm(from, 1.0 - chance);
            }
        }
    }

    /// Counts the calls that would go to an owner from another.
    fn count(&mut self, to: u32, list: &[u32], from: u32, chance: f32) {
        for &call in list {
            let made = &mut self.calls[call as usize];
            if made.owner == from && !made.settled {
                made.credit(to, chance);
                made.credit(from, 1.0 - chance);
            }
        }
    }

    fn accept(
        &mut self,
        left: u32,
        right: u32,
        lists: (Vec<u32>, Vec<u32>),
        scores: (f64, f64),
    ) -> (Vec<u32>, Vec<u32>) {
        let mut old = (vec![], vec![]);
        let sides = [(left, lists.0, scores.0, &mut old.0), (right, lists.1, scores.1, &mut old.1)];
        for (request, list, score, old) in sides {
            list.iter().for_each(|&call| self.calls[call as usize].owner = request);
            if let Some(open) = self.requests.get_mut(request as usize) {
                open.score = score;
                *old = std::mem::replace(&mut open.calls, list);
            } else {
                *old = list;
            }
        }
        old
    }

    fn odds(&self, call: &Made, request: u32) -> f64 {
        match request {
            NOBODY => self.background.rate(call.key),
            _ => f64::from(call.odds(request).unwrap_or(f32::NEG_INFINITY)),
        }
    }

    fn total(&self, request: u32) -> f64 {
        self.requests.get(request as usize).map_or(0.0, |open| open.score)
    }

    fn score(&mut self, request: u32, calls: &[u32]) -> f64 {
        let Some(open) = self.requests.get(request as usize) else { return 0.0 };
        let Some(route) = self.routes.get(open.route) else { return 0.0 };
        self.scratch.story.score(route, open, calls, self.calls)
    }
}

fn insert(list: &mut Vec<u32>, call: u32) {
    let at = list.partition_point(|&other| other < call);
    list.insert(at, call);
}

fn remove(list: &mut Vec<u32>, call: u32) {
    list.retain(|&other| other != call);
}
