//! The requests and calls of one process that belong to the present.

use std::collections::HashMap;

use super::background::Background;
use super::input::{Call, Hint, Posterior, Request};
use super::memo::mark;
use super::route::Lesson;

/// In place of a request: none caused the call.
pub(super) const NOBODY: u32 = u32::MAX;
/// Requests, and calls, of one window. What comes beyond is not decided.
const MAX_WINDOW: usize = 4096;
/// Candidates of one call; with more it is not decided.
const MAX_CANDIDATES: usize = 64;

/// In place of how much spoke for a candidate: it was not looked at.
const UNSEEN: f32 = -1.0;

/// A request.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: u64,
    pub(super) route: usize,
    pub(super) started: u64,
    pub(super) replied: Option<u64>,
    pub(super) ended: Option<u64>,
    /// All of its calls are in the window.
    pub(super) whole: bool,
    /// The calls that it is thought to have made, by their places, in order of their beginnings.
    pub(super) calls: Vec<u32>,
    /// Stands for these: the sum of their marks.
    pub(super) mark: u64,
    /// Its score with these.
    pub(super) score: f64,
    /// What it has taught so far.
    pub(super) lesson: Option<Lesson>,
}

/// A call.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) id: u64,
    pub(super) key: u8,
    pub(super) started: u64,
    pub(super) ended: Option<u64>,
    peer: Option<u64>,
    hint: Hint,
    /// Requests that come into question, by their places, with the log-odds of other evidence.
    pub(super) candidates: Vec<(u32, f32)>,
    /// The request that it is thought to be of, by its place, or [`NOBODY`].
    pub(super) owner: u32,
    /// How much was counted for each candidate, and last for nobody.
    pub(super) tally: Vec<f32>,
    /// The most that spoke for each of them before counting began.
    pub(super) heat: Vec<f32>,
    /// It has been placed.
    placed: bool,
    /// Nothing to be decided any more.
    pub(super) settled: bool,
}

/// Both, in order of their beginnings once arranged.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) requests: Vec<Open>,
    pub(super) calls: Vec<Made>,
    /// Calls that began later.
    later: Vec<Made>,
    /// What ended after is not known yet.
    now: u64,
}

impl Window {
    /// A request, or what is known of it by now.
    pub(super) fn request(&mut self, request: Request, route: usize) {
        let Request { id, started, replied, ended, .. } = request;
        // One that has just begun is new.
        let told = if ended.is_some() { self.requests.as_mut_slice() } else { &mut [] };
        if let Some(open) = told.iter_mut().rev().find(|open| open.id == id) {
            (open.route, open.replied, open.ended) = (route, replied, ended);
            return;
        }
        if self.requests.len() >= MAX_WINDOW {
            self.retire_half();
        }
        if self.requests.len() < MAX_WINDOW {
            self.requests.push(Open {
                id,
                route,
                started,
                replied,
                ended,
                whole: false,
                calls: vec![],
                mark: 0,
                score: 0.0,
                lesson: None,
            });
        }
    }

    /// A call; returns whether there is room.
    pub(super) fn call(&mut self, call: Call, key: u8) -> bool {
        let room = self.later.len() < MAX_WINDOW;
        if room {
            self.later.push(Made {
                id: call.id,
                key,
                started: call.started,
                ended: call.ended,
                settled: matches!(call.hint, Hint::Settled(_)),
                peer: call.peer,
                hint: call.hint,
                candidates: vec![],
                owner: NOBODY,
                tally: vec![],
                heat: vec![],
                placed: false,
            });
        }
        room
    }

    /// Takes in the calls up to the end of all requests that began before; sorts, finds the
    /// candidates of every call, and returns the calls that are new and open.
    pub(super) fn arrange(
        &mut self,
        before: u64,
        now: u64,
        background: &mut Background,
    ) -> Vec<u32> {
        self.now = now;
        let begun = self.requests.iter().filter(|open| open.started <= before);
        let until = begun.filter_map(|open| open.over(now)).max().unwrap_or(0).max(before);
        for open in &mut self.requests {
            let before = open.whole;
            open.whole = open.over(now).is_some_and(|ended| ended <= until);
            if open.whole && !before {
                background.request();
            }
        }
        let new = self.later.iter().filter(|call| call.started <= until);
        new.for_each(|call| background.call(call.key));
        self.calls.extend(self.later.extract_if(.., |call| call.started <= until));
        let owners: Vec<u64> = self
            .calls
            .iter()
            .map(|call| self.requests.get(call.owner as usize).map_or(u64::MAX, |open| open.id))
            .collect();
        let owners: HashMap<u64, u64> = self.calls.iter().map(|call| call.id).zip(owners).collect();
        self.requests.sort_by_key(|open| (open.started, open.id));
        self.calls.sort_by_key(|call| (call.started, call.id));
        for open in &mut self.requests {
            open.calls.clear();
            open.mark = 0;
        }
        let places: HashMap<u64, u32> =
            self.requests.iter().enumerate().map(|(at, open)| (open.id, at as u32)).collect();
        let mut new = vec![];
        let (mut going, mut next) = (vec![], 0);
        for (place, call) in self.calls.iter_mut().enumerate() {
            let requests = &self.requests;
            while requests.get(next).is_some_and(|open| open.started <= call.started) {
                going.push(next as u32);
                next += 1;
            }
            going.retain(|&at| {
                let over = requests[at as usize].over(now);
                over.is_none_or(|ended| ended >= call.started)
            });
            call.find(&going, &places);
            let owner = match &call.hint {
                Hint::Settled(owner) => *owner,
                _ => owners.get(&call.id).copied(),
            };
            call.owner = owner.and_then(|id| places.get(&id).copied()).unwrap_or(NOBODY);
            if let Some(open) = self.requests.get_mut(call.owner as usize) {
                open.calls.push(place as u32);
                open.mark = open.mark.wrapping_add(mark(place as u32));
            }
            if !call.placed && !call.settled {
                new.push(place as u32);
            }
            call.placed = true;
        }
        new
    }

    /// What was counted, of the calls all of whose candidates were over by `before` and of those
    /// that were over by `hold`. Without `background`, what it shows of calls of nobody's is not kept.
    pub(super) fn report(
        &mut self,
        before: u64,
        hold: u64,
        trust: &[f32],
        mut background: Option<&mut Background>,
    ) -> Vec<Posterior> {
        let mut posteriors = vec![];
        for call in &mut self.calls {
            let requests = &self.requests;
            let over = |at: u32| requests[at as usize].over(before).is_some();
            let ripe = call.candidates.iter().all(|candidate| over(candidate.0));
            let waited = call.ended.is_none_or(|ended| ended <= hold);
            if call.settled || !(ripe || waited) {
                continue;
            }
            call.settled = true;
            let all: f32 = call.tally.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            let shares = call.candidates.iter().zip(&call.tally);
            let nobody = call.tally.last().copied().unwrap_or(all) / all;
            let owner = |(&(at, odds), &share): (&(u32, f32), &f32)| {
                let open = requests.get(at as usize)?;
                Some((open.id, trust.get(open.route)? * share / all, odds))
            };
            let mut owners: Vec<_> = shares.filter_map(owner).collect();
            owners.sort_by(|a, b| b.1.total_cmp(&a.1));
            if let Some(background) = &mut background {
                background.nobody(call.key, nobody);
            }
            posteriors.push(Posterior { call: call.id, owners, nobody });
        }
        posteriors
    }

    /// How many calls are to be decided.
    pub(super) fn open(&self) -> usize {
        self.calls.iter().filter(|call| !call.settled).count()
    }

    /// By how much longer than usual assignments have to be drawn, because calls have many candidates
    /// (up to four times).
    pub(super) fn crowd(&self) -> usize {
        let open = self.calls.iter().filter(|call| !call.settled);
        let (calls, candidates) = open.fold((1, 0), |(calls, candidates), call| {
            (calls + 1, candidates + call.candidates.len())
        });
        (candidates / calls / 8 + 1).min(4)
    }

    /// No call that is still open can belong to a request that was over before.
    pub(super) fn first(&self, before: u64) -> u64 {
        let open = self.calls.iter().find(|call| !call.settled);
        open.map_or(before, |call| call.started.min(before))
    }

    /// Makes room where nobody decides any more.
    fn retire_half(&mut self) {
        let mut times: Vec<_> = self.requests.iter().map(|open| open.started).collect();
        let (_, middle, _) = times.select_nth_unstable(MAX_WINDOW / 2);
        let middle = *middle;
        self.retire(middle);
    }

    /// How many things are remembered.
    pub(super) fn remembered(&self) -> usize {
        self.requests.len() + self.calls.len() + self.later.len()
    }

    /// Forgets the requests that were over before `first`, and their calls.
    pub(super) fn retire(&mut self, first: u64) {
        let gone = |open: &Open| open.over(first).is_some();
        let mut kept = 0;
        let places: Vec<Option<u32>> = self
            .requests
            .iter()
            .map(|open| {
                (!gone(open)).then(|| {
                    kept += 1;
                    kept - 1
                })
            })
            .collect();
        self.calls.retain(|call| {
            !call.settled || places.get(call.owner as usize).copied().flatten().is_some()
        });
        for call in &mut self.calls {
            call.owner = places.get(call.owner as usize).copied().flatten().unwrap_or(NOBODY);
        }
        self.requests.retain(|open| !gone(open));
    }
}

impl Open {
    /// When it was over, if that was not after `now`.
    pub(super) fn over(&self, now: u64) -> Option<u64> {
        self.ended.filter(|&ended| ended <= now)
    }

    /// When it was answered, if by then all of its calls were in the window.
    pub(super) fn answered(&self) -> Option<u64> {
        self.replied.filter(|_| self.whole)
    }
}

impl Made {
    /// Takes as candidates those of the requests that other evidence allows.
    fn find(&mut self, going: &[u32], places: &HashMap<u64, u32>) {
        self.candidates.clear();
        let peer = self.peer.and_then(|peer| places.get(&peer).copied());
        let going = going.iter().copied().filter(|&at| Some(at) != peer);
        if !self.settled && going.clone().count() <= MAX_CANDIDATES {
            match &self.hint {
                Hint::Leaning { odds, among } => {
                    let place = |&(id, odds): &(u64, f32)| Some((*places.get(&id)?, odds));
                    let named: Vec<_> = odds.iter().filter_map(place).collect();
                    let odds =
                        |at: u32| named.iter().find(|named| named.0 == at).map(|named| named.1);
                    let all = going.filter(|&at| !among || odds(at).is_some());
                    self.candidates.extend(all.map(|at| (at, odds(at).unwrap_or(0.0))));
                }
                _ => self.candidates.extend(going.map(|at| (at, 0.0))),
            }
        }
        self.tally.clear();
        self.tally.resize(self.candidates.len() + 1, 0.0);
        self.heat.clear();
        self.heat.resize(self.candidates.len() + 1, UNSEEN);
    }

    /// Notes that something spoke for an owner.
    pub(super) fn warm(&mut self, owner: u32, much: f32) {
        let at = self.candidates.iter().position(|candidate| candidate.0 == owner);
        if let Some(heat) = self.heat.get_mut(at.unwrap_or(self.candidates.len())) {
            *heat = heat.max(much);
        }
    }

    /// What other evidence says of a request, if that comes into question.
    pub(super) fn odds(&self, request: u32) -> Option<f32> {
        self.candidates.iter().find(|candidate| candidate.0 == request).map(|&(_, odds)| odds)
    }

    /// Counts how long it was with an owner.
    pub(super) fn credit(&mut self, owner: u32, much: f32) {
        let at = self.candidates.iter().position(|candidate| candidate.0 == owner);
        if let Some(tally) = self.tally.get_mut(at.unwrap_or(self.candidates.len())) {
            *tally += much;
        }
    }
}
