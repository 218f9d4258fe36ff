//! Handlers of shapes that are hard to tell, with truth: what the times make of them unaided, against
//! what they make of them once they were told the truth of as many requests before.

use std::collections::HashMap;

use fastrand::Rng;

use super::super::{Budget, Call, Hint, Joint, Posterior, Request};
use super::{MS, Told};

/// What a handler does next.
#[derive(Clone, Copy)]
enum Step {
    /// Asks this key, after what came before has ended.
    Then(u64),
    /// Asks this key at once with the step before.
    With(u64),
}

/// One kind of process: what its handlers do, and when requests come.
struct Shape {
    steps: fn(&mut Rng) -> Vec<Step>,
    /// Nanoseconds from one request to the next.
    pause: fn(&mut Rng, u64) -> u64,
    /// Times the usual.
    slow: u64,
}

/// Ids of calls begin here.
const CALLS: u64 = 1 << 32;

impl Shape {
    /// Events by the time at which they are known, and the owner of each call.
    fn play(&self, requests: u64, first: u64, from: u64) -> (Vec<(u64, Told)>, HashMap<u64, u64>) {
        let mut rng = Rng::with_seed(first + 1);
        let (mut told, mut truth) = (vec![], HashMap::new());
        let mut now = from;
        for id in first..first + requests {
            now += (self.pause)(&mut rng, id - first);
            let mut gap = |most: u64| rng.u64(most / 4..most) * self.slow;
            let read = now;
            let (mut begun, mut over) = (read, read + gap(2 * MS));
            for step in (self.steps)(&mut Rng::with_seed(id)) {
                let (key, at) = match step {
                    Step::Then(key) => (key, over + gap(100_000)),
                    Step::With(key) => (key, begun + gap(30_000)),
                };
                let ended = at + gap(3 * MS);
                let call = CALLS + (first << 8) + truth.len() as u64;
                truth.insert(call, id);
                let call = Call {
                    id: call,
                    key,
                    started: at,
                    ended: Some(ended),
                    peer: None,
                    hint: Hint::None,
                };
                told.push((ended, Told::Call(call)));
                (begun, over) = (at, ended.max(over));
            }
            let ended = over + gap(800_000);
            let open = Request { id, route: 1, started: read, replied: None, ended: None };
            let done = Request { replied: Some(ended), ended: Some(ended), ..open.clone() };
            told.push((read, Told::Request(open)));
            told.push((ended, Told::Request(done)));
        }
        told.sort_by_key(|told| told.0);
        (told, truth)
    }
}

/// Shares, in percent.
#[derive(Debug)]
struct Outcome {
    right: f32,
    /// Of those with a confidence of at least 0.9.
    sure: f32,
    sure_right: f32,
    /// Mean confidence less the share that is right.
    boast: f32,
    /// Visits of calls a call.
    visits: f32,
}

fn decide(joint: &mut Joint, told: Vec<(u64, Told)>, budget: &mut Budget) -> Vec<Posterior> {
    let (mut next, mut posteriors) = (told.first().map_or(0, |told| told.0), vec![]);
    for (time, told) in told {
        while time > next {
            let before = next.saturating_sub(200 * MS);
            posteriors.extend(joint.decide(next, before, before.saturating_sub(1000 * MS), budget));
            next += 250 * MS;
        }
        match told {
            Told::Request(request) => joint.request(request),
            Told::Call(call) => drop(joint.call(call)),
        }
    }
    posteriors.extend(joint.decide(next, next, next, budget));
    posteriors
}

/// How well calls are decided; `taught`: after as many requests with the truth.
fn outcome(shape: &Shape, requests: u64, taught: bool) -> Outcome {
    let mut joint = Joint::default();
    let mut budget = Budget::unbounded();
    let mut from = 1000 * MS;
    if taught {
        let (mut told, truth) = shape.play(requests, 1_000_000, from);
        for (_, told) in &mut told {
            if let Told::Call(call) = told {
                call.hint = Hint::Settled(truth.get(&call.id).copied());
            }
        }
        from += told.last().map_or(0, |told| told.0);
        decide(&mut joint, told, &mut budget);
    }
    let (told, truth) = shape.play(requests, 0, from + 5000 * MS);
    let before = budget.left();
    let posteriors = decide(&mut joint, told, &mut budget);
    let visits = before - budget.left();
    assert_eq!(posteriors.len(), truth.len(), "each call is decided once");
    assert!(joint.remembered() < 500, "{}", joint.remembered());
    let (mut right, mut sure, mut sure_right, mut said) = (0.0, 0.0, 0.0, 0.0);
    for posterior in &posteriors {
        let best =
            posterior.owners.first().map_or((u64::MAX, 0.0), |best| (best.request, best.borne));
        let hit = f32::from(u8::from(truth.get(&posterior.call) == Some(&best.0)));
        (right, said) = (right + hit, said + best.1);
        if best.1 >= 0.9 {
            (sure, sure_right) = (sure + 1.0, sure_right + hit);
        }
    }
    let all = posteriors.len() as f32;
    Outcome {
        right: 100.0 * right / all,
        sure: 100.0 * sure / all,
        sure_right: if sure > 0.0 { 100.0 * sure_right / sure } else { 100.0 },
        boast: 100.0 * (said - right) / all,
        visits: visits as f32 / all,
    }
}

/// A pause of up to twice this.
fn about(rng: &mut Rng, mean: u64) -> u64 {
    rng.u64(..2 * mean)
}

fn steady(rng: &mut Rng, _: u64) -> u64 {
    about(rng, 2 * MS)
}

/// What has to be reached, in percent.
struct Least {
    /// Right, less than when taught.
    behind: f32,
    sure_right: f32,
    /// At most.
    boast: f32,
}

const USUAL: Least = Least { behind: 6.0, sure_right: 95.0, boast: 5.0 };

/// Unaided, the times are nearly as good as taught, and no surer than they may be.
fn holds(name: &str, shape: &Shape, requests: u64, least: &Least) {
    let (alone, taught) = (outcome(shape, requests, false), outcome(shape, requests, true));
    println!("{name}: {alone:?}, taught: {taught:?}");
    assert!(alone.right >= taught.right - least.behind, "{name}: {alone:?}, taught: {taught:?}");
    assert!(alone.boast <= least.boast, "{name}: {alone:?}");
    assert!(alone.sure_right >= least.sure_right, "{name}: {alone:?}");
    assert!(alone.visits <= 40.0, "{name}: {alone:?}");
}

#[test]
fn a_call_that_is_sometimes_tried_again() {
    let steps = |rng: &mut Rng| match rng.u8(..10) {
        0 => vec![Step::Then(10), Step::Then(10), Step::Then(11)],
        _ => vec![Step::Then(10), Step::Then(11)],
    };
    holds("retry", &Shape { steps, pause: steady, slow: 1 }, 600, &USUAL);
}

#[test]
fn twenty_calls_at_once() {
    let steps = |_: &mut Rng| {
        let first = [Step::Then(10)].into_iter();
        first.chain((1..20).map(|nth| Step::With(10 + nth % 2))).collect()
    };
    let least = Least { sure_right: 92.0, boast: 8.0, ..USUAL };
    holds("fan-out", &Shape { steps, pause: |rng, _| about(rng, 4 * MS), slow: 1 }, 300, &least);
}

#[test]
fn pages_of_a_list() {
    let steps = |rng: &mut Rng| vec![Step::Then(10); rng.usize(1..12)];
    // Long chains of one key that cross each other: a few draws do not find their way out of every
    // wrong one, and do not know that.
    let least = Least { behind: 12.0, sure_right: 78.0, boast: 16.0 };
    holds("pages", &Shape { steps, pause: |rng, _| about(rng, 6 * MS), slow: 1 }, 400, &least);
}

#[test]
fn one_route_that_does_either_of_two_things() {
    let steps = |rng: &mut Rng| match rng.bool() {
        true => vec![Step::Then(10), Step::Then(11)],
        false => vec![Step::Then(12), Step::With(10)],
    };
    holds("variants", &Shape { steps, pause: steady, slow: 1 }, 600, &USUAL);
}

#[test]
fn requests_that_come_in_bursts() {
    let pause = |rng: &mut Rng, number: u64| match number % 12 {
        0 => 60 * MS,
        _ => rng.u64(..MS / 4),
    };
    let steps = |_: &mut Rng| vec![Step::Then(10), Step::Then(11)];
    holds("bursts", &Shape { steps, pause, slow: 1 }, 600, &USUAL);
}

#[test]
fn with_two_hundred_open_requests_nothing_is_guessed_and_little_spent() {
    let steps = |_: &mut Rng| vec![Step::Then(10), Step::Then(11)];
    let shape = Shape { steps, pause: |rng, _| about(rng, MS), slow: 50 };
    let crowded = outcome(&shape, 2000, false);
    println!("{crowded:?}");
    assert!(crowded.sure <= 1.0 && crowded.visits <= 40.0, "{crowded:?}");
}
