//! How likely it is that a request made just these calls at just these times.

use super::density::bin;
use super::lesson::{CallSet, Lesson};
use super::links::{Act, Cause, Link, link};
use super::made::Made;
use super::open::Open;
use super::route::Route;

/// Events before an act that are looked at as its causes.
const MAX_CAUSES: usize = 8;

/// One event of a request.
#[derive(Clone, Copy, Debug)]
struct Event {
    time: u64,
    cause: Cause,
    /// The call that it is of, by its place in the window.
    call: u32,
}

/// The events of one request in order; kept to save allocations.
#[derive(Debug, Default)]
pub(super) struct Story {
    events: Vec<Event>,
    /// Links, bins and weighted densities of the possible causes of one act.
    parts: Vec<(Link, u8, f32)>,
    /// The latest event before that act.
    latest: Option<Cause>,
    /// The calls that are still to be made.
    set: CallSet,
}

impl Story {
    /// Logarithm of the likelihood, up to a constant of the request: that it makes these calls, in
    /// this order, after these gaps. `calls` are in order of their beginnings.
    pub(super) fn score(&mut self, route: &Route, of: &Open, calls: &[u32], all: &[Made]) -> f64 {
        let mut product = Product::default();
        self.tell(of, calls, all);
        product.times(route.set(&self.set, of.answered().is_some()));
        tally(of, calls, all, |key, number, outlive| {
            product.times(route.outlives(key, number, outlive))
        });
        for (place, call) in made(calls, all) {
            self.act(route, Act::call(call.key), call.started, Some(place));
            product.times(self.parts.iter().map(|part| part.2).sum());
            product.times(self.turn(route, call.key));
            if let Some(others) = self.beside(calls, all, call) {
                product.times(route.beside(call.key, others));
            }
            self.set.take(call.key);
        }
        if let Some(replied) = of.answered() {
            self.act(route, Act::ANSWER, replied, None);
            product.times(self.parts.iter().map(|part| part.2).sum());
        }
        product.log()
    }

    /// How likely it is a call of this key that comes next, of those still to be made.
    fn turn(&self, route: &Route, key: u8) -> f32 {
        let Some(latest) = self.latest else { return 1.0 };
        let left = self.set.iter().filter(|kind| kind.1 > 0);
        let all: f32 = left.map(|kind| route.follows(latest, Act::call(kind.0))).sum();
        route.follows(latest, Act::call(key)) / all.max(f32::MIN_POSITIVE)
    }

    /// Whether other calls of the request go on when it makes one; `None` unless one has just ended.
    fn beside(&self, calls: &[u32], all: &[Made], call: &Made) -> Option<bool> {
        self.latest.filter(|latest| latest.is_end())?;
        let goes_on = |other: &Made| other.ended.is_none_or(|ended| ended > call.started);
        let earlier = made(calls, all).take_while(|other| !std::ptr::eq(other.1, call));
        Some(earlier.map(|other| other.1).any(goes_on))
    }

    /// What it teaches.
    pub(super) fn lesson(
        &mut self,
        route: &Route,
        of: &Open,
        calls: &[u32],
        all: &[Made],
    ) -> Lesson {
        let mut lesson = Lesson::default();
        self.tell(of, calls, all);
        for (place, call) in made(calls, all) {
            self.act(route, Act::call(call.key), call.started, Some(place));
            self.note(&mut lesson, Act::call(call.key));
            lesson.beside.extend(self.beside(calls, all, call).map(|others| (call.key, others)));
        }
        if let Some(replied) = of.answered() {
            self.act(route, Act::ANSWER, replied, None);
            self.note(&mut lesson, Act::ANSWER);
            lesson.busy = replied.saturating_sub(of.started) as f32;
        }
        lesson.set = self.set.clone();
        tally(of, calls, all, |key, number, outlive| lesson.counts.push((key, number, outlive)));
        lesson
    }

    fn tell(&mut self, of: &Open, calls: &[u32], all: &[Made]) {
        self.events.clear();
        self.set.clear();
        self.events.push(Event { time: of.started, cause: Cause::READ, call: u32::MAX });
        for (place, call) in made(calls, all) {
            self.set.add(call.key);
            self.insert(Event { time: call.started, cause: Cause::begins(call.key), call: place });
            if let Some(ended) = call.ended {
                self.insert(Event { time: ended, cause: Cause::ends(call.key), call: place });
            }
        }
    }

    fn insert(&mut self, event: Event) {
        let after = self.events.iter().rposition(|other| other.time <= event.time);
        self.events.insert(after.map_or(1, |at| at + 1), event);
    }

    /// Weighs the possible causes of an act.
    fn act(&mut self, route: &Route, act: Act, time: u64, call: Option<u32>) {
        self.parts.clear();
        self.latest = None;
        let before =
            self.events.iter().rev().filter(|event| event.time <= time && Some(event.call) != call);
        let mut all = 0.0;
        for event in before.take(MAX_CAUSES) {
            let at = link(event.cause, self.latest.is_none(), act);
            self.latest.get_or_insert(event.cause);
            let gap = time - event.time;
            let (bin, weight) = (bin(gap), route.weight(at));
            all += weight;
            let density = route.density(at, bin, route.assumed(gap));
            self.parts.push((at, bin, weight * density));
        }
        self.parts.iter_mut().for_each(|part| part.2 /= all);
    }

    fn note(&self, lesson: &mut Lesson, act: Act) {
        let all: f32 = self.parts.iter().map(|part| part.2).sum();
        lesson.gaps.extend(
            self.parts.iter().map(|&(at, bin, part)| (at, bin, part / all.max(f32::MIN_POSITIVE))),
        );
        lesson.steps.extend(self.latest.map(|latest| (latest, act)));
    }
}

fn made<'a>(calls: &'a [u32], all: &'a [Made]) -> impl Iterator<Item = (u32, &'a Made)> {
    calls.iter().filter_map(|&place| Some((place, all.get(place as usize)?)))
}

/// For each key: how many calls, and how many of them went on when the response was written.
fn tally(of: &Open, calls: &[u32], all: &[Made], mut tell: impl FnMut(u8, u8, u8)) {
    let mut keys = 0u32;
    for (_, call) in made(calls, all) {
        if keys & (1 << call.key) != 0 {
            continue;
        }
        keys |= 1 << call.key;
        let (mut number, mut outlive) = (0u8, 0u8);
        for (_, other) in made(calls, all).filter(|(_, other)| other.key == call.key) {
            number = number.saturating_add(1);
            let late = of.answered().is_some_and(|at| other.ended.is_none_or(|ended| ended > at));
            outlive = outlive.saturating_add(u8::from(late));
        }
        tell(call.key, number, outlive);
    }
}

/// A product of small numbers; one logarithm for several of them.
#[derive(Debug)]
struct Product {
    product: f64,
    log: f64,
}

impl Default for Product {
    fn default() -> Self {
        Self { product: 1.0, log: 0.0 }
    }
}

impl Product {
    fn times(&mut self, factor: f32) {
        self.product *= f64::from(factor.max(1e-30));
        if !(1e-200..1e200).contains(&self.product) {
            self.log += self.product.ln();
            self.product = 1.0;
        }
    }

    fn log(&self) -> f64 {
        self.log + self.product.ln()
    }
}
