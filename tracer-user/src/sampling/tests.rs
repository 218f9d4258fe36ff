//! Spans in, those that are kept out.

use std::collections::HashSet;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::counts::{Counts, Observer};
use super::testing::{came, span};
use super::{Came, Gate, Policy, Room, Sampler, When};
use crate::export::weighed;
use crate::trace::{Kind, Span, SpanId, Status, TraceId, Wait};

const WAIT: Wait =
    Wait { quiet: Duration::from_secs(1), hold: Duration::from_secs(30), bytes: 64 << 20 };
const MS: u64 = 1_000_000;

struct Test {
    sampler: Sampler,
    observer: Observer,
    start: Instant,
    random: fastrand::Rng,
    kept: Vec<Came>,
}

impl Test {
    fn new(policy: Policy) -> Self {
        let counts = Arc::<Counts>::default();
        let mut sampler = Sampler::new(policy, WAIT, counts.clone());
        sampler.choose(true);
        let (start, random) = (Instant::now(), fastrand::Rng::with_seed(7));
        Self { sampler, observer: Observer(counts), start, random, kept: vec![] }
    }

    fn put(&mut self, span: Span, at: u64) {
        let now = self.start + Duration::from_millis(at);
        self.sampler.put(came(span), now, &mut self.kept);
    }

    /// What is kept by then, since this was asked last.
    fn kept(&mut self, at: u64) -> Vec<Arc<Span>> {
        self.sampler.poll(self.start + Duration::from_millis(at), &mut self.kept);
        self.kept.drain(..).map(|came| came.span.0).collect()
    }

    /// One trace of a span, changed.
    fn trace(&mut self, at: u64, change: impl FnOnce(&mut Span)) -> TraceId {
        let mut span = span(self.random.u128(1..));
        change(&mut span);
        let id = span.trace_id;
        self.put(span, at);
        id
    }
}

fn nothing() -> Policy {
    Policy { errors: false, slow: 1.0, rest: 0.0 }
}

fn ids(spans: &[Arc<Span>]) -> HashSet<TraceId> {
    spans.iter().map(|span| span.trace_id).collect()
}

#[test]
fn failed_traces_are_kept_whole() {
    let mut test = Test::new(Policy { errors: true, ..nothing() });
    let child = |id: u8, failed: bool| {
        let mut child = span(1);
        (child.span_id, child.parent) = (SpanId([id; 8]), Some(SpanId([1; 8])));
        child.status = if failed { Status::Error(None) } else { Status::Unset };
        child
    };
    test.put(child(2, true), 0);
    test.put(child(3, false), 5_000);
    assert_eq!(test.kept(20_000), [], "the outermost is not there");
    test.put(span(1), 20_000);
    assert_eq!(test.kept(20_900), []);
    assert_eq!(test.kept(21_000).len(), 3);
    test.put(child(4, false), 25_000);
    assert_eq!(test.kept(25_000).len(), 1, "what comes late follows");

    test.put(span(2), 30_000);
    assert_eq!(test.kept(40_000), []);
    let mut late = child(2, true);
    late.trace_id = span(2).trace_id;
    test.put(late, 41_000);
    assert_eq!(test.kept(100_000), [], "it has been decided");
    let tally = test.observer.tally();
    assert_eq!((tally.failed, tally.left_out, tally.left_out_spans), (1, 1, 2));
}

#[test]
fn a_trace_from_elsewhere_waits_no_longer_than_it_may() {
    let mut test = Test::new(Policy { errors: true, ..nothing() });
    test.trace(0, |span| {
        (span.parent, span.status) = (Some(SpanId([9; 8])), Status::Error(None));
    });
    assert_eq!(test.kept(29_999).len(), 0);
    assert_eq!(test.kept(30_000).len(), 1);
}

#[test]
fn slow_is_slow_for_the_route() {
    let mut test = Test::new(Policy { slow: 0.99, ..nothing() });
    let took = |ms: u64| move |span: &mut Span| span.end = span.start + ms * MS;
    let first = test.trace(0, took(500));
    for n in 1..=300 {
        test.trace(n, took(10 + n % 10));
    }
    let report =
        |span: &mut Span| (span.name, span.end) = ("GET /report".to_owned(), span.start + 900 * MS);
    for n in 301..=600 {
        test.trace(n, report);
    }
    test.kept(5_000);
    let slow = test.trace(6_000, took(100));
    let usual = test.trace(6_000, took(15));
    let report = test.trace(6_000, report);
    let kept = ids(&test.kept(60_000));
    assert!(kept.contains(&slow));
    assert!(!kept.contains(&usual) && !kept.contains(&report) && !kept.contains(&first));
}

#[test]
fn of_the_rest_so_many_a_second_and_route_are_kept_and_stand_for_all() {
    let mut test = Test::new(Policy { rest: 5.0, ..nothing() });
    let (seconds, each) = (100, [("GET /a", 1_u64), ("GET /b", 10), ("GET /c", 400)]);
    for ms in 0..seconds * 1000 {
        for (name, rate) in each {
            for _ in ms * rate / 1000..(ms + 1) * rate / 1000 {
                test.trace(ms, |span| span.name = name.to_owned());
            }
        }
    }
    let kept = test.kept(seconds * 1000 + 60_000);
    for (name, rate) in each {
        let of = || kept.iter().filter(|span| span.name == name);
        let (count, weight) = (of().count() as f64, of().map(|span| span.weight()).sum::<f64>());
        let all = (seconds * rate) as f64;
        assert!((weight / all - 1.0).abs() < 0.15, "{name}: {weight} for {all}");
        let most = (seconds as f64 * 5.0).min(all);
        assert!(count <= most * 1.2 && count >= most * 0.8, "{name}: {count} of {most}");
    }
    let tally = test.observer.tally();
    assert_eq!(tally.rest, kept.len() as u64);
    assert_eq!(tally.rest + tally.left_out, 100 * (1 + 10 + 400));
}

#[test]
fn too_many_open_traces_are_decided_early() {
    let mut test = Test::new(Policy { rest: 1e9, ..nothing() });
    let long = "x".repeat(1 << 20);
    for _ in 0..100 {
        test.trace(0, |span| span.name.clone_from(&long));
    }
    let (kept, early) = (test.kept(0).len(), test.observer.tally().early);
    assert!((30..=60).contains(&kept) && early == kept as u64, "{kept} {early}");
    assert_eq!(test.kept(1_000).len() + kept, 100);
}

#[test]
fn nothing_is_held_while_all_is_kept() {
    let mut test = Test::new(nothing());
    test.sampler.choose(false);
    test.put(span(1), 0);
    assert_eq!(test.kept(0).len(), 1);
    test.sampler.choose(true);
    let mut child = span(1);
    (child.span_id, child.parent, child.kind) =
        (SpanId([2; 8]), Some(SpanId([1; 8])), Kind::Client);
    test.put(child, 10);
    assert_eq!(test.kept(10).len(), 1, "its trace began before");
    test.put(span(2), 20);
    test.sampler.choose(false);
    let mut late = span(2);
    late.span_id = SpanId([2; 8]);
    test.put(late, 30);
    test.put(span(3), 40);
    assert_eq!(ids(&test.kept(60_000)), HashSet::from([span(3).trace_id]), "2 as a whole");
}

#[test]
fn a_gate_chooses_when_the_store_is_too_small() {
    let (told, kept) = channel();
    let room = Arc::new(Mutex::new(Room {
        limit: u64::MAX,
        age: Duration::from_secs(60),
        spans: 0,
        bytes: 0,
    }));
    let asked = room.clone();
    let when = When::TurnsOver(Box::new(move || *asked.lock().unwrap()));
    let sink = move |spans: Vec<Came>| told.send(spans).unwrap();
    let gate = Gate::start(nothing(), WAIT, when, sink).unwrap();
    let observer = gate.observer();
    gate.send(&weighed([Arc::new(span(1))]), false);
    assert_eq!(kept.recv().unwrap()[0].span.0.trace_id, span(1).trace_id);
    room.lock().unwrap().limit = 1;
    let (patience, mut number) = (Instant::now() + Duration::from_secs(60), 2);
    while !observer.tally().chooses {
        assert!(Instant::now() < patience);
        gate.send(&weighed([Arc::new(span(number))]), false);
        number += 1;
        std::thread::yield_now();
    }
    gate.send(&weighed([Arc::new(span(u128::MAX))]), true);
    drop(gate);
    let last = span(u128::MAX).trace_id;
    assert!(kept.iter().flatten().all(|came| came.span.0.trace_id != last));
    assert!(observer.tally().left_out >= 1, "decided at the end");
}
