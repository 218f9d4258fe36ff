//! Proxies: what is asked for tells requests apart, once it is seen that a process passes it on.

use tracer_user::trace::{Kind, Span};

use crate::outcome::{Outcome, method, path, settings};
use crate::script::{Script, Task, Wire};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const PROXY: u32 = 20;
const BACK: Task = Task { pid: 30, tid: 30 };
const OTHER: Task = Task { pid: 40, tid: 40 };
const AT_ONCE: usize = 4;
/// Until so many rounds are over, nothing is asked of it.
const LEARNS: usize = 6;
const ROUNDS: usize = 12;

/// Any of the proxy's threads: none of them tells anything.
fn any(n: usize) -> Task {
    Task { pid: PROXY, tid: (PROXY * 100) + n as u32 }
}

/// What the n-th request of a round is, and what the process asks for because of it, and whom.
type Course = fn(round: usize, n: usize) -> (String, Vec<(String, Task)>);

/// Rounds of requests that are all open at once, are each passed on in an order that tells nothing,
/// and answered in another.
fn rounds(course: Course) -> Script {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire, Wire)> = (0..AT_ONCE)
        .map(|_| {
            let front = script.connect(CLIENT, 80);
            (front, script.connect(any(0), 81), script.connect(any(0), 82))
        })
        .collect();
    for round in 0..ROUNDS {
        let asked: Vec<_> = (0..AT_ONCE).map(|n| course(round, n)).collect();
        for (n, wire) in wires.iter().enumerate() {
            script.ask(CLIENT, wire.0, &asked[n].0);
            script.hear(any(n), wire.0);
        }
        for n in [2, 0, 3, 1] {
            for (target, whom) in &asked[n].1 {
                let wire = if *whom == BACK { wires[n].1 } else { wires[n].2 };
                script.call(any(9), *whom, wire, target, "");
            }
        }
        for n in [1, 3, 0, 2] {
            script.answer(any(7 - n), wires[n].0);
            script.learn(CLIENT, wires[n].0);
        }
    }
    script
}

/// The proxy's own span of this kind and path.
fn span<'a>(outcome: &'a Outcome, kind: Kind, at: &str) -> &'a Span {
    let service = format!("pid-{PROXY}");
    let ours =
        |span: &&Span| span.kind == kind && path(span) == at && *span.resource.service == *service;
    let mut found = outcome.spans.iter().map(|span| &**span).filter(ours);
    let span = found.next().unwrap_or_else(|| panic!("no {kind:?} span of {at}"));
    assert!(found.next().is_none(), "two {kind:?} spans of {at}");
    span
}

/// Asserts that what was passed on once the proxy was known has the request for it as its parent.
#[track_caller]
fn assert_passed_on(outcome: &Outcome) {
    for round in LEARNS..ROUNDS {
        for n in 0..AT_ONCE {
            let at = format!("/shop/{round}/{n}");
            let call = span(outcome, Kind::Client, &at);
            outcome.assert_edge(call, span(outcome, Kind::Server, &at), "forward");
        }
    }
}

#[track_caller]
fn assert_none(outcome: &Outcome, part: &str) {
    let calls = outcome.spans.iter().filter(|span| path(span).starts_with(part));
    assert!(calls.clone().count() > 0);
    assert!(!calls.into_iter().any(|span| method(span) == Some("forward")));
}

#[test]
fn what_is_passed_on_belongs_to_what_asked_for_it() {
    let course: Course = |round, n| {
        let target = format!("/shop/{round}/{n}");
        (target.clone(), vec![(target, BACK)])
    };
    assert_passed_on(&Outcome::of(&rounds(course)));
}

#[test]
fn a_gateway_that_asks_another_one_first_passes_on_to_one_of_them_alone() {
    let course: Course = |round, n| {
        let target = format!("/shop/{round}/{n}");
        (target.clone(), vec![(format!("/check/{round}/{n}"), OTHER), (target, BACK)])
    };
    let outcome = Outcome::of(&rounds(course));
    assert_passed_on(&outcome);
    assert_none(&outcome, "/check/");
}

/// Each request is for what the one beside it is answered with.
#[test]
fn a_likeness_by_chance_tells_nothing() {
    let course: Course = |round, n| {
        let called = if (round + n) % 3 == 0 { (n + 1) % AT_ONCE } else { n + 10 };
        (format!("/shop/{round}/{n}"), vec![(format!("/shop/{round}/{called}"), BACK)])
    };
    let mut all = settings();
    all.min_confidence = 0.5;
    assert_none(&Outcome::with(&rounds(course), all), "/shop/");
}

#[test]
fn requests_for_the_same_are_not_told_apart() {
    let course: Course = |_, _| ("/".to_owned(), vec![("/".to_owned(), BACK)]);
    assert_none(&Outcome::of(&rounds(course)), "/");
    // Nor where others ask for something else.
    let course: Course = |round, n| {
        let target = if n < 2 { "/same".to_owned() } else { format!("/shop/{round}/{n}") };
        (target.clone(), vec![(target, BACK)])
    };
    let outcome = Outcome::of(&rounds(course));
    assert_none(&outcome, "/same");
    let at = format!("/shop/{LEARNS}/3");
    let request = span(&outcome, Kind::Server, &at);
    outcome.assert_edge(span(&outcome, Kind::Client, &at), request, "forward");
}
