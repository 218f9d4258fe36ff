//! A call of the window.

use std::collections::HashMap;

use super::input::{Call, Hint};

/// In place of a request: none caused the call.
pub(super) const NOBODY: u32 = u32::MAX;
/// Candidates of one call; with more it is not decided.
const MAX_CANDIDATES: usize = 64;
/// In place of how much spoke for a candidate: it was not looked at.
const UNSEEN: f32 = -1.0;

/// A call.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) id: u64,
    pub(super) key: u8,
    pub(super) started: u64,
    pub(super) ended: Option<u64>,
    pub(super) peer: Option<u64>,
    pub(super) hint: Hint,
    /// Requests that come into question, by their places, with the log-odds of other evidence.
    pub(super) candidates: Vec<(u32, f32)>,
    /// The request that it is thought to be of, by its place, or [`NOBODY`].
    pub(super) owner: u32,
    /// How much was counted for each candidate, and last for nobody.
    pub(super) tally: Vec<f32>,
    /// The most that spoke for each of them before counting began.
    pub(super) heat: Vec<f32>,
    /// It has been placed.
    pub(super) placed: bool,
    /// Nothing to be decided any more.
    pub(super) settled: bool,
    /// As good as certain, until the next round.
    pub(super) calm: bool,
}

impl Made {
    /// One that has not been placed.
    pub(super) fn new(call: Call, key: u8) -> Self {
        Self {
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
            calm: false,
        }
    }

    /// Takes as candidates those of the requests that other evidence allows.
    pub(super) fn find(&mut self, going: &[u32], places: &HashMap<u64, u32>) {
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
