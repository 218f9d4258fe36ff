//! Propagated contexts: forwarded as they came, or renewed by services that trace themselves.

use tracer_user::pipeline::Settings;
use tracer_user::trace::{SpanId, TraceId};

use crate::http::{b3, w3c};
use crate::outcome::{Outcome, method, settings};
use crate::script::{Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const FRONT: u32 = 20;
const BACK: Task = Task { pid: 30, tid: 30 };

const TRACE: [u8; 16] = [0xab; 16];

/// Any of the front service's threads: none of them tells anything.
fn any(n: u32) -> Task {
    Task { pid: FRONT, tid: FRONT * 100 + n }
}

/// Requests to the front service, all open at once, that then each make a call, in another order.
/// `incoming` and `outgoing` give the headers of request number n.
pub(crate) fn crowd(incoming: impl Fn(u8) -> String, outgoing: impl Fn(u8) -> String) -> Script {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire)> =
        (0..5).map(|_| (script.connect(CLIENT, 80), script.connect(any(0), 81))).collect();
    for (n, wire) in (0..).zip(&wires) {
        script.ask_with(CLIENT, wire.0, &format!("/in/{n}"), &incoming(n));
        script.hear(any(n.into()), wire.0);
    }
    for n in [3, 1, 4, 0, 2] {
        script.call(any(9), BACK, wires[n].1, &format!("/out/{n}"), &outgoing(n as u8));
    }
    for (n, wire) in wires.iter().enumerate() {
        script.answer(any(7 - n as u32), wire.0);
        script.learn(CLIENT, wire.0);
    }
    script
}

fn assert_right(outcome: &Outcome) {
    for n in 0..5 {
        let (call, request) =
            (outcome.client(&format!("/out/{n}")), outcome.server(&format!("/in/{n}")));
        outcome.assert_edge(call, request, "header");
    }
}

pub(crate) fn assert_orphans(outcome: &Outcome) {
    let ids: Vec<_> = outcome.spans.iter().map(|span| span.span_id).collect();
    for n in 0..5 {
        let parent = outcome.client(&format!("/out/{n}")).parent;
        assert!(parent.is_none_or(|parent| !ids.contains(&parent)), "{n}");
    }
}

#[test]
fn contexts_that_are_forwarded_unchanged_name_the_request() {
    for header in [b3, w3c] {
        let outcome = Outcome::of(&crowd(|n| header(n + 1, n + 1), |n| header(n + 1, n + 1)));
        assert_right(&outcome);
        // Several requests of one trace, told apart by the span.
        assert_right(&Outcome::of(&crowd(|n| header(1, n + 1), |n| header(1, n + 1))));
    }
}

#[test]
fn contexts_with_new_spans_name_the_request_by_its_trace() {
    let outcome = Outcome::of(&crowd(|n| w3c(n + 1, n + 1), |n| w3c(n + 1, n + 100)));
    assert_right(&outcome);
    assert_eq!(outcome.server("/out/2").trace_id, TraceId([3; 16]));
}

#[test]
fn several_requests_with_the_same_context_are_not_told_apart_by_it() {
    assert_orphans(&Outcome::of(&crowd(|_| b3(1, 1), |_| b3(1, 1))));
    assert_orphans(&Outcome::of(&crowd(|_| w3c(1, 1), |n| w3c(1, n + 100))));
}

#[test]
fn another_trace_is_never_linked() {
    let outcome = Outcome::of(&crowd(|n| w3c(n + 1, n + 1), |n| w3c(n + 101, n + 101)));
    assert_orphans(&outcome);
}

#[test]
fn the_thread_decides_between_requests_with_the_same_context() {
    let mut script = Script::new();
    let wires: Vec<(Wire, Wire)> =
        (0..4).map(|n| (script.connect(CLIENT, 80), script.connect(any(n), 81))).collect();
    for round in 0..5 {
        for (n, wire) in (0..).zip(&wires) {
            script.ask_with(CLIENT, wire.0, &format!("/in/{round}/{n}"), &b3(1, 1));
            script.hear(any(n), wire.0);
        }
        for (n, wire) in (0..).zip(&wires) {
            script.call(any(n), BACK, wire.1, &format!("/out/{round}/{n}"), &b3(1, 1));
        }
        for (n, wire) in (0..).zip(&wires) {
            script.answer(any(n), wire.0);
            script.learn(CLIENT, wire.0);
        }
    }
    let outcome = Outcome::of(&script);
    for (round, n) in (0..5).flat_map(|round| (0..4).map(move |n| (round, n))) {
        let (call, request) = (format!("/out/{round}/{n}"), format!("/in/{round}/{n}"));
        outcome.assert_edge(outcome.client(&call), outcome.server(&request), "thread");
        assert_eq!(outcome.server(&call).trace_id, TraceId([1; 16]));
    }
}

/// Client -> a -> b -> c, with one context all the way from outside.
#[test]
fn b3_through_three_services_makes_one_row() {
    let mut script = Script::new();
    let [a, b, c] = [21, 22, 23].map(task);
    let wires = [
        script.outsider(80),
        script.connect(Task { tid: 210, ..a }, 81),
        script.connect(Task { tid: 220, ..b }, 82),
    ];
    script.ask_with(CLIENT, wires[0], "/a", &b3(0xab, 7));
    script.hear(a, wires[0]);
    script.ask_with(Task { tid: 210, ..a }, wires[1], "/b", &b3(0xab, 7));
    script.hear(b, wires[1]);
    script.call(Task { tid: 220, ..b }, c, wires[2], "/c", &b3(0xab, 7));
    script.answer(b, wires[1]);
    script.learn(Task { tid: 210, ..a }, wires[1]);
    script.answer(a, wires[0]);
    let outcome = Outcome::of(&script);
    assert!(outcome.spans.iter().all(|span| span.trace_id == TraceId(TRACE)));
    assert_eq!(outcome.spans.len(), 5);
    // Whoever asked from outside is the parent of the whole.
    assert_eq!(outcome.server("/a").parent, Some(SpanId([7; 8])));
    assert_eq!(method(outcome.server("/a")), Some("header"));
    for path in ["/b", "/c"] {
        outcome.assert_edge(outcome.server(path), outcome.client(path), "pair");
    }
    outcome.assert_edge(outcome.client("/b"), outcome.server("/a"), "header");
    outcome.assert_edge(outcome.client("/c"), outcome.server("/b"), "header");
}

#[test]
fn a_trace_that_a_service_in_the_middle_begins_is_adopted_by_the_whole_tree() {
    let mut script = Script::new();
    let (front, one) = (task(FRONT), script.connect(CLIENT, 80));
    let two = script.connect(front, 81);
    script.ask(CLIENT, one, "/in");
    script.hear(front, one);
    script.call(front, BACK, two, "/out", &w3c(0xab, 9));
    script.answer(front, one);
    script.learn(CLIENT, one);
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 4);
    assert!(outcome.spans.iter().all(|span| span.trace_id == TraceId(TRACE)));
    assert_eq!(outcome.client("/in").parent, None);
    assert_eq!(outcome.client("/out").parent, Some(outcome.server("/in").span_id));
    assert_eq!(outcome.server("/out").parent, Some(outcome.client("/out").span_id));
}

#[test]
fn a_header_is_believed_at_any_asked_confidence() {
    let script = crowd(|n| b3(n + 1, 1), |n| b3(n + 1, 1));
    assert_right(&Outcome::with(&script, Settings { min_confidence: 1.0, ..settings() }));
}

#[test]
fn malformed_contexts_are_ignored_and_counted() {
    let outcome = Outcome::of(&crowd(|_| "traceparent: 00-x\r\n".into(), |_| "b3: ?\r\n".into()));
    assert_orphans(&outcome);
    assert!(outcome.spans.iter().all(|span| method(span) != Some("header")));
    assert_eq!(
        outcome.losses.get("context_headers_malformed"),
        Some(&20),
        "five of each, at both ends"
    );
}

/// A client that sends one and the same context with everything makes nobody slow.
#[test]
fn one_context_on_everything_is_no_evidence() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(any(0), 81));
    for n in 0..20_000 {
        script.ask_with(CLIENT, one, &format!("/in/{n}"), &w3c(1, 1));
        script.hear(any(0), one);
        script.call(any(1), BACK, two, &format!("/out/{n}"), &w3c(1, 1));
        script.answer(any(0), one);
        script.learn(CLIENT, one);
    }
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 80_000);
    let parent = outcome.client("/out/777").parent;
    assert!(parent.is_none() || parent == Some(outcome.server("/in/777").span_id));
}
