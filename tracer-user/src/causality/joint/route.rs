//! What was learned of one route: how often it makes which call, what follows what, and after
//! which gap.

use super::background::Background;
use super::counts::Counts;
use super::density::{Bin, Density};
use super::lesson::{CallSet, Lesson};
use super::links::{ACTS, Act, CAUSES, Cause, Link, MAX_KEYS, is_latest};

/// Sets of calls that are told apart; what a route does beyond is judged by each key alone.
const MAX_SETS: usize = 64;
/// Requests after which what was learned fades to one half.
const MEMORY: f32 = 2000.0;
/// So many observations weigh as much as what is assumed before any.
const DOUBT: f32 = 1.0;
/// The same, of the number of calls.
const SAMENESS: f32 = 20.0;
/// The same of the first requests: until gaps and order are known, that some requests make no calls
/// and others those of two explains itself.
const FIRST_SAMENESS: f32 = 10_000.0;
/// So many requests make gaps and order known.
const SETTLED: f32 = 150.0;
/// How often something that is not the latest event is taken for a cause before any was seen.
const EARLIER: f32 = 0.05;

/// What is assumed of [`Route::weight`].
fn first(at: Link) -> f32 {
    if is_latest(at) { 1.0 } else { EARLIER }
}

/// What is known of a link.
#[derive(Debug, Default)]
struct Known {
    gaps: Density,
    /// How often the cause was there when the act was done.
    present: f32,
    /// As of the last [`Route::refresh`].
    weight: f32,
}

/// What was learned of one route.
#[derive(Debug)]
pub(super) struct Route {
    links: Vec<Option<Box<Known>>>,
    /// How often what was done when this was the latest event.
    follows: Vec<[f32; ACTS]>,
    counts: Vec<Counts>,
    sets: Vec<(CallSet, f32)>,
    requests: f32,
    /// Sum of durations, in nanoseconds, of the requests counted.
    busy: f32,
    /// As of the last [`Route::refresh`]: how likely what follows what.
    order: Vec<[f32; ACTS]>,
    /// No call at all, as far as calls of different keys know nothing of each other.
    none: f32,
    sameness: f32,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            links: std::iter::repeat_with(|| None).take(2 * CAUSES * ACTS).collect(),
            follows: vec![[0.0; ACTS]; CAUSES],
            counts: std::iter::repeat_with(Counts::default).take(MAX_KEYS).collect(),
            sets: vec![],
            requests: 0.0,
            busy: 0.0,
            order: vec![[1.0 / 4.0; ACTS]; CAUSES],
            none: 1.0,
            sameness: FIRST_SAMENESS,
        }
    }
}

impl Route {
    /// How likely a cause is the one, among those present, before the gap is looked at.
    pub(super) fn weight(&self, at: Link) -> f32 {
        self.known(at).map_or(first(at), |known| known.weight)
    }

    /// Density of a gap.
    pub(super) fn density(&self, at: Link, bin: Bin, assumed: f32) -> f32 {
        self.known(at).map_or(assumed, |known| known.gaps.at(bin, assumed))
    }

    fn known(&self, at: Link) -> Option<&Known> {
        self.links.get(usize::from(at))?.as_deref()
    }

    /// Density, per nanosecond, of a gap before anything was seen: all gaps are alike up to about
    /// half of a request's duration.
    pub(super) fn assumed(&self, gap: u64) -> f32 {
        let scale = (self.busy + 1e6) / (self.requests + 1.0) / 2.0;
        scale / (scale + gap as f32).powi(2)
    }

    /// How likely the act comes next when this was the latest event.
    pub(super) fn follows(&self, latest: Cause, act: Act) -> f32 {
        let acts = self.order.get(usize::from(latest.0));
        acts.and_then(|acts| acts.get(usize::from(act.0))).copied().unwrap_or(1.0)
    }

    /// How likely a request makes just these calls, in whatever order; one that is not over, these or
    /// more.
    pub(super) fn set(&self, set: &CallSet, over: bool) -> f32 {
        let kinds = set.iter().filter_map(|(key, number)| Some((self.counts(key)?, number)));
        if !over {
            return kinds.map(|(counts, number)| counts.so_far(number)).product();
        }
        let apart: f32 = kinds.map(|(counts, number)| counts.likely(number)).product();
        let seen = self.sets.iter().find(|seen| seen.0 == *set).map_or(0.0, |seen| seen.1);
        (seen + self.sameness * self.none * apart) / (self.requests + self.sameness)
    }

    /// How likely other calls go on, or do not, when one of a key is made and one has just ended.
    pub(super) fn beside(&self, key: u8, others: bool) -> f32 {
        self.counts(key).map_or(1.0, |counts| counts.beside(others))
    }

    /// How likely so many of some calls of a key go on when the response is written.
    pub(super) fn outlives(&self, key: u8, number: u8, outlive: u8) -> f32 {
        self.counts(key).map_or(1.0, |counts| counts.outlives(number, outlive))
    }

    fn counts(&self, key: u8) -> Option<&Counts> {
        self.counts.get(usize::from(key))
    }

    /// About how many requests were seen.
    pub(super) fn seen(&self) -> f32 {
        self.requests
    }

    /// Learns, or takes back, what one request has shown.
    pub(super) fn learn(&mut self, lesson: &Lesson, sign: f32) {
        for &(at, bin, weight) in &lesson.gaps {
            let Some(known) = self.links.get_mut(usize::from(at)) else { continue };
            let known = known.get_or_insert_default();
            known.gaps.add(bin, sign * weight);
            known.present = (known.present + sign).max(0.0);
        }
        let add = |to: Option<&mut f32>, much: f32| {
            if let Some(to) = to {
                *to = (*to + sign * much).max(0.0);
            }
        };
        for &(latest, act) in &lesson.steps {
            let acts = self.follows.get_mut(usize::from(latest.0));
            add(acts.and_then(|acts| acts.get_mut(usize::from(act.0))), 1.0);
        }
        for &(key, number, outlive) in &lesson.counts {
            if let Some(counts) = self.counts.get_mut(usize::from(key)) {
                counts.learn(number, outlive, sign);
            }
        }
        for &(key, others) in &lesson.beside {
            if let Some(counts) = self.counts.get_mut(usize::from(key)) {
                counts.learn_beside(others, sign);
            }
        }
        let room = sign > 0.0 && self.sets.len() < MAX_SETS;
        match self.sets.iter_mut().find(|seen| seen.0 == lesson.set) {
            Some(seen) => add(Some(&mut seen.1), 1.0),
            None if room => self.sets.push((lesson.set.clone(), 1.0)),
            None => {}
        }
        add(Some(&mut self.requests), 1.0);
        add(Some(&mut self.busy), lesson.busy);
    }

    /// Makes what was learned count; what is old fades.
    pub(super) fn refresh(&mut self, background: &Background) {
        if self.requests > MEMORY {
            self.fade();
        }
        for (at, known) in self.links.iter_mut().enumerate() {
            if let Some(known) = known {
                known.gaps.refresh();
                known.weight =
                    (known.gaps.total() + DOUBT * first(at as Link)) / (known.present + DOUBT);
            }
        }
        for (acts, likely) in self.follows.iter().zip(&mut self.order) {
            let all = acts.iter().sum::<f32>() + DOUBT;
            for (act, likely) in acts.iter().zip(likely) {
                *likely = (act + DOUBT / 4.0) / all;
            }
        }
        self.sets.retain(|seen| seen.1 > 0.5);
        self.sameness = if self.requests < SETTLED { FIRST_SAMENESS } else { SAMENESS };
        let (requests, sameness) = (self.requests, self.sameness);
        let counts = self.counts.iter_mut().enumerate();
        let none = counts
            .map(|(key, counts)| counts.refresh(requests, background.usual(key as u8), sameness));
        self.none = none.product();
    }

    fn fade(&mut self) {
        for known in self.links.iter_mut().flatten() {
            known.gaps.fade();
            known.present /= 2.0;
        }
        self.counts.iter_mut().for_each(Counts::fade);
        let all = self.follows.iter_mut().flatten();
        let all = all.chain(self.sets.iter_mut().map(|seen| &mut seen.1));
        all.chain([&mut self.requests, &mut self.busy]).for_each(|value| *value /= 2.0);
    }
}
