//! What was learned of one route: how often it makes which call, what follows what, and after
//! which gap.

use super::background::Background;
use super::density::Density;

/// Keys of calls that are told apart in one process; the last stands for all others.
pub(super) const MAX_KEYS: usize = 16;
/// What happens to a request, as a cause: it is read, a call of a key begins, one ends.
const CAUSES: usize = 1 + 2 * MAX_KEYS;
/// What the process does: it begins a call of a key, or it answers.
const ACTS: usize = MAX_KEYS + 1;
/// Calls of one key that are told apart by their number; the last means so many or more.
pub(super) const MAX_COUNT: usize = 8;
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
/// How often a call goes on when the response is written, before any was seen.
const OUTLIVES: f32 = 0.02;

/// An event of a request that may be the cause of what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cause(u8);

/// Something that the process does for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act(u8);

impl Cause {
    pub(super) const READ: Self = Self(0);

    pub(super) fn begins(key: u8) -> Self {
        Self(1 + 2 * key)
    }

    pub(super) fn ends(key: u8) -> Self {
        Self(2 + 2 * key)
    }
}

impl Act {
    pub(super) const ANSWER: Self = Self(MAX_KEYS as u8);

    pub(super) fn call(key: u8) -> Self {
        Self(key)
    }
}

/// How likely a number of calls is where the mean is known and requests act alike as far as that
/// allows; else it would be as good an explanation that half of the requests make the calls of two.
fn regular(mean: f32, number: usize) -> f32 {
    let off = (number as f32 - mean).abs();
    0.9 * (1.0 - off).max(0.0) + 0.1 * 0.5f32.powi(number as i32 + 1)
}

/// What is assumed of [`Route::weight`].
fn first(at: Link) -> f32 {
    if at % 2 == 1 { 1.0 } else { EARLIER }
}

/// From a cause, which is the latest event or is not, to an act.
pub(super) type Link = u16;

pub(super) fn link(cause: Cause, latest: bool, act: Act) -> Link {
    (usize::from(act.0) * CAUSES * 2 + usize::from(cause.0) * 2 + usize::from(latest)) as Link
}

/// Which calls a request makes: keys in ascending order, with the number of calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CallSet(Vec<(u8, u8)>);

impl CallSet {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn add(&mut self, key: u8) {
        match self.0.binary_search_by_key(&key, |kind| kind.0) {
            Ok(at) => {
                if let Some(kind) = self.0.get_mut(at) {
                    kind.1 = kind.1.saturating_add(1);
                }
            }
            Err(at) => self.0.insert(at, (key, 1)),
        }
    }

    /// Takes one away; those that are left keep their places.
    pub(super) fn take(&mut self, key: u8) {
        if let Some(kind) = self.0.iter_mut().find(|kind| kind.0 == key) {
            kind.1 = kind.1.saturating_sub(1);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, u8)> {
        self.0.iter().copied()
    }
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

/// What follows from what was learned, as of the last [`Route::refresh`].
#[derive(Debug)]
struct Likely {
    follows: Vec<[f32; ACTS]>,
    counts: [[f32; MAX_COUNT]; MAX_KEYS],
    so_far: [[f32; MAX_COUNT]; MAX_KEYS],
    /// No call at all, as far as calls of different keys know nothing of each other.
    none: f32,
    sameness: f32,
    outlives: [f32; MAX_KEYS],
}

/// What was learned of one route.
#[derive(Debug)]
pub(super) struct Route {
    links: Vec<Option<Box<Known>>>,
    follows: Vec<[f32; ACTS]>,
    counts: [[f32; MAX_COUNT]; MAX_KEYS],
    sets: Vec<(CallSet, f32)>,
    outlive: [f32; MAX_KEYS],
    calls: [f32; MAX_KEYS],
    requests: f32,
    /// Sum of durations, in nanoseconds, of the requests counted.
    busy: f32,
    likely: Likely,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            links: std::iter::repeat_with(|| None).take(2 * CAUSES * ACTS).collect(),
            follows: vec![[0.0; ACTS]; CAUSES],
            counts: [[0.0; MAX_COUNT]; MAX_KEYS],
            sets: vec![],
            outlive: [0.0; MAX_KEYS],
            calls: [0.0; MAX_KEYS],
            requests: 0.0,
            busy: 0.0,
            likely: Likely {
                follows: vec![[1.0 / 4.0; ACTS]; CAUSES],
                counts: [[1.0; MAX_COUNT]; MAX_KEYS],
                so_far: [[1.0; MAX_COUNT]; MAX_KEYS],
                none: 1.0,
                sameness: FIRST_SAMENESS,
                outlives: [OUTLIVES; MAX_KEYS],
            },
        }
    }
}

impl Route {
    /// How likely a cause is the one, among those present, before the gap is looked at.
    pub(super) fn weight(&self, at: Link) -> f32 {
        self.known(at).map_or(first(at), |known| known.weight)
    }

    /// Density of a gap.
    pub(super) fn density(&self, at: Link, bin: u8, assumed: f32) -> f32 {
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
        let acts = self.likely.follows.get(usize::from(latest.0));
        acts.and_then(|acts| acts.get(usize::from(act.0))).copied().unwrap_or(1.0)
    }

    /// How likely a request makes just these calls, in whatever order; one that is not over, these or
    /// more.
    pub(super) fn set(&self, set: &CallSet, over: bool) -> f32 {
        let marginal = |table: &[[f32; MAX_COUNT]; MAX_KEYS], (key, number): (u8, u8)| {
            let counts = table.get(usize::from(key));
            let count =
                counts.and_then(|counts| counts.get(usize::from(number).min(MAX_COUNT - 1)));
            count.copied().unwrap_or(1.0)
        };
        if !over {
            return set.iter().map(|kind| marginal(&self.likely.so_far, kind)).product();
        }
        let apart: f32 = set.iter().map(|kind| marginal(&self.likely.counts, kind)).product();
        let seen = self.sets.iter().find(|seen| seen.0 == *set).map_or(0.0, |seen| seen.1);
        (seen + self.likely.sameness * self.likely.none * apart)
            / (self.requests + self.likely.sameness)
    }

    /// How likely so many of some calls of a key go on when the response is written.
    pub(super) fn outlives(&self, key: u8, number: u8, outlive: u8) -> f32 {
        let outlives = self.likely.outlives.get(usize::from(key)).copied().unwrap_or(0.5);
        let rest = number.saturating_sub(outlive);
        outlives.powi(i32::from(outlive)) * (1.0 - outlives).powi(i32::from(rest))
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
            let key = usize::from(key);
            let number = usize::from(number).min(MAX_COUNT - 1);
            add(self.counts.get_mut(key).and_then(|counts| counts.get_mut(number)), 1.0);
            add(self.calls.get_mut(key), number as f32);
            add(self.outlive.get_mut(key), f32::from(outlive));
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
        for (acts, likely) in self.follows.iter().zip(&mut self.likely.follows) {
            let all = acts.iter().sum::<f32>() + DOUBT;
            for (act, likely) in acts.iter().zip(likely) {
                *likely = (act + DOUBT / 4.0) / all;
            }
        }
        self.sets.retain(|seen| seen.1 > 0.5);
        self.likely.none = 1.0;
        self.likely.sameness = if self.requests < SETTLED { FIRST_SAMENESS } else { SAMENESS };
        for key in 0..MAX_KEYS {
            self.refresh_counts(key, background.usual(key as u8));
        }
    }

    fn refresh_counts(&mut self, key: usize, usual: f32) {
        let mean = (self.calls[key] + DOUBT * usual) / (self.requests + DOUBT);
        let mut seen = self.counts[key];
        seen[0] = (self.requests - seen.iter().sum::<f32>()).max(0.0);
        for (number, seen) in seen.iter_mut().enumerate() {
            *seen += self.likely.sameness * regular(mean, number);
        }
        let all: f32 = seen.iter().sum();
        let mut more = all;
        self.likely.none *= seen[0] / all;
        for (number, seen_so) in seen.iter().enumerate() {
            self.likely.counts[key][number] = seen_so / seen[0];
            self.likely.so_far[key][number] = more / all;
            more -= seen_so;
        }
        let outlives = (self.outlive[key] + DOUBT * OUTLIVES) / (self.calls[key] + DOUBT);
        self.likely.outlives[key] = outlives.clamp(0.001, 0.999);
    }

    fn fade(&mut self) {
        for known in self.links.iter_mut().flatten() {
            known.gaps.fade();
            known.present /= 2.0;
        }
        let counts = self.counts.iter_mut().flatten();
        let all = self.follows.iter_mut().flatten().chain(counts);
        let all = all.chain(&mut self.outlive).chain(&mut self.calls);
        let all = all.chain(self.sets.iter_mut().map(|seen| &mut seen.1));
        all.chain([&mut self.requests, &mut self.busy]).for_each(|value| *value /= 2.0);
    }
}

/// What one request, with the calls that it is thought to have made, shows of its route.
#[derive(Debug, Default)]
pub(super) struct Lesson {
    /// Gaps, and how likely each was the one that counted.
    pub(super) gaps: Vec<(Link, u8, f32)>,
    /// What was the latest event when something was done.
    pub(super) steps: Vec<(Cause, Act)>,
    /// Which calls it made.
    pub(super) set: CallSet,
    /// Key, number of calls, and how many went on when the response was written.
    pub(super) counts: Vec<(u8, u8, u8)>,
    /// Duration in nanoseconds.
    pub(super) busy: f32,
}
