//! The requests and calls of one process that belong to the present.

use std::collections::HashMap;

use super::background::Background;
use super::input::{Call, Hint, Request};
use super::made::{Made, NOBODY};
use super::open::Open;

/// Requests, and calls, of one window. What comes beyond is not decided.
const MAX_WINDOW: usize = 4096;
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
        let Request { id, replied, ended, .. } = request;
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
            self.requests.push(Open::new(&request, route));
        }
    }

    /// A call; returns whether there is room.
    pub(super) fn call(&mut self, call: Call, key: u8) -> bool {
        let room = self.later.len() < MAX_WINDOW;
        if room {
            self.later.push(Made::new(call, key));
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
        self.requests.iter_mut().for_each(Open::clear);
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
                open.push(place as u32);
            }
            if !call.placed && !call.settled {
                new.push(place as u32);
            }
            call.placed = true;
        }
        new
    }

    /// How many calls are to be decided.
    pub(super) fn open(&self) -> usize {
        self.calls.iter().filter(|call| !call.settled).count()
    }

    /// By how much longer than usual assignments have to be drawn, because calls have many candidates
    /// (up to twice).
    pub(super) fn crowd(&self) -> usize {
        let open = self.calls.iter().filter(|call| !call.settled);
        let (calls, candidates) = open.fold((1, 0), |(calls, candidates), call| {
            (calls + 1, candidates + call.candidates.len())
        });
        (candidates / calls / 8 + 1).min(2)
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
