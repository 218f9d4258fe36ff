//! Request and correlation ids: evidence where they tell requests apart, and never a trace.

use tracer_user::trace::Span;

use crate::headers::{assert_orphans, crowd};
use crate::http::{b3, get};
use crate::outcome::{Outcome, method, settings};
use crate::recording::recorded;
use crate::script::{End, Script, Task, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const FRONT: u32 = 20;
const BACK: Task = Task { pid: 30, tid: 30 };

fn any(n: u32) -> Task {
    Task { pid: FRONT, tid: FRONT * 100 + n }
}

fn id(name: &str, n: u8) -> String {
    format!("{name}: 7b1fd3c2-9c1b-4a37-aab9-b4ac3af7{n:04}\r\n")
}

#[track_caller]
fn assert_right(outcome: &Outcome) {
    for n in 0..5 {
        let call = outcome.client(&format!("/out/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/{n}")), "correlation");
    }
}

#[test]
fn an_id_that_is_passed_on_names_the_request() {
    for (incoming, outgoing) in [
        ("X-Request-Id", "X-Request-ID"),
        ("x-correlation-id", "X-Correlation-ID"),
        ("X-Request-Id", "X-Correlation-Id"),
        ("Request-Id", "Correlation-Id"),
        ("X-Trace-Id", "X-Transaction-Id"),
    ] {
        assert_right(&recorded(&crowd(|n| id(incoming, n), |n| id(outgoing, n))));
    }
    let child = |n| format!("Request-Id: |4bf92f3577b34{n}.1.da4e9679_\r\n");
    assert_right(&recorded(&crowd(|n| format!("Request-Id: |4bf92f3577b34{n}.\r\n"), child)));
}

#[test]
fn it_is_no_trace_id_and_no_attribute() {
    let outcome = Outcome::of(&crowd(|n| id("X-Request-Id", n), |n| id("X-Request-Id", n)));
    let mut traces: Vec<_> = outcome.spans.iter().map(|span| span.trace_id.to_string()).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 5);
    assert!(traces.iter().all(|trace| !trace.contains("7b1fd3c2")));
    let says = |span: &Span| format!("{span:?}").contains("b4ac3af7");
    assert!(!outcome.spans.iter().any(|span| says(span)));
}

#[test]
fn one_id_on_all_open_requests_tells_nothing() {
    assert_orphans(&Outcome::of(&crowd(|_| id("X-Request-Id", 1), |_| id("X-Request-Id", 1))));
    assert_orphans(&Outcome::of(&crowd(|n| id("X-Request-Id", n), |n| id("X-Request-Id", n + 50))));
    assert_orphans(&Outcome::of(&crowd(
        |n| format!("X-Request-Id: {n}\r\n"),
        |n| format!("X-Request-Id: {n}\r\n"),
    )));
}

#[test]
fn the_id_of_a_request_goes_before_that_of_its_session() {
    let both = |n: u8| id("X-Correlation-Id", 77) + &id("X-Request-Id", n);
    assert_right(&recorded(&crowd(both, both)));
}

#[test]
fn a_context_goes_before_an_id() {
    // The ids of the calls are those of other requests.
    let outcome = recorded(&crowd(
        |n| b3(n + 1, n + 1) + &id("X-Request-Id", n),
        |n| b3(n + 1, n + 1) + &id("X-Request-Id", (n + 1) % 5),
    ));
    for n in 0..5 {
        let call = outcome.client(&format!("/out/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/{n}")), "header");
    }
}

/// A service that sends an id of its own with whatever it asks for, and is sent that very id by one
/// that it has asked.
#[test]
fn an_id_that_the_process_made_names_nobody() {
    let mut script = Script::new();
    let (poll, one, other) =
        (script.connect(any(1), 81), script.connect(CLIENT, 80), script.connect(task(11), 80));
    let own = id("X-Request-Id", 1);
    script.call(any(1), BACK, poll, "/before", &own);
    script.ask_with(CLIENT, one, "/in", &own);
    script.ask(task(11), other, "/other");
    script.hear(any(2), one);
    script.hear(any(3), other);
    script.call(any(1), BACK, poll, "/poll", &own);
    script.answer(any(4), one);
    script.answer(any(5), other);
    let outcome = recorded(&script);
    assert_eq!((outcome.client("/poll").parent, method(outcome.client("/poll"))), (None, None));
}

/// Headers show that a service's ids are not what they seem.
#[test]
fn ids_that_were_seen_to_be_wrong_are_believed_no_longer() {
    let mut script = Script::new();
    let wires: Vec<_> =
        (0..2).map(|_| (script.connect(CLIENT, 80), script.connect(any(0), 81))).collect();
    // Ids of the other request, and headers of the right one; in the last round ids alone.
    for round in 0..30_u8 {
        let header = |n: u8| if round < 29 { b3(2 * round + n + 1, 1) } else { String::new() };
        for (n, wire) in (0..).zip(&wires) {
            let headers = header(n) + &id("X-Request-Id", 2 * round + n);
            script.send(CLIENT, wire.0, End::Opener, &get(&format!("/in/{round}/{n}"), &headers));
            script.hear(any(n.into()), wire.0);
        }
        for (n, wire) in (0..).zip(&wires) {
            let headers = header(n) + &id("X-Request-Id", 2 * round + 1 - n);
            script.call(any(9), BACK, wire.1, &format!("/out/{round}/{n}"), &headers);
        }
        for (n, wire) in (0..).zip(&wires) {
            script.answer(any(8 - n), wire.0);
            script.learn(CLIENT, wire.0);
        }
        script.wait(3 * crate::script::SECOND);
    }
    let outcome = Outcome::with(&script, settings());
    assert_eq!(method(outcome.client("/out/28/0")), Some("header"));
    assert_eq!(outcome.client("/out/29/0").parent, None);
}

/// A client that sends one and the same id with everything makes nobody slow.
#[test]
fn one_id_on_everything_is_no_evidence() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(any(0), 81));
    for n in 0..5_000 {
        script.ask_with(CLIENT, one, &format!("/in/{n}"), &id("X-Request-Id", 1));
        script.hear(any(0), one);
        script.call(any(1), BACK, two, &format!("/out/{n}"), &id("X-Request-Id", 1));
        script.answer(any(0), one);
        script.learn(CLIENT, one);
    }
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 20_000);
    let parent = outcome.client("/out/777").parent;
    assert!(parent.is_none() || parent == Some(outcome.server("/in/777").span_id));
}

/// Five requests at once to a service that gives each an id, sends that on and answers with it, if
/// `echoes`; its backend answers with ids that `passed` gives, which the service passes on.
fn gateway(
    sent: impl Fn(u8) -> String,
    answer: impl Fn(u8) -> String,
    of_backend: impl Fn(u8) -> String,
) -> Outcome {
    let ok = |ids: String| format!("HTTP/1.1 200 OK\r\n{ids}Content-Length: 2\r\n\r\nok");
    let mut script = Script::new();
    let wires: Vec<_> =
        (0..5).map(|_| (script.connect(CLIENT, 80), script.connect(any(0), 81))).collect();
    for (n, wire) in (0..).zip(&wires) {
        script.ask(CLIENT, wire.0, &format!("/in/{n}"));
        script.hear(any(n), wire.0);
    }
    for n in [3_u8, 1, 4, 0, 2] {
        let wire = wires[usize::from(n)].1;
        script.ask_with(any(9), wire, &format!("/out/{n}"), &sent(n));
        script.hear(BACK, wire);
        script.send(BACK, wire, End::Acceptor, ok(of_backend(n)).as_bytes());
        script.learn(any(9), wire);
    }
    for (n, wire) in (0..).zip(&wires) {
        script.send(any(7 - n), wire.0, End::Acceptor, ok(answer(n as u8)).as_bytes());
        script.learn(CLIENT, wire.0);
    }
    recorded(&script)
}

#[test]
fn an_id_that_a_gateway_makes_and_answers_with_names_the_request() {
    let of = |n| id("X-Request-Id", n);
    assert_right(&gateway(of, of, |_| String::new()));
    // One on all answers says nothing, nor does one that nobody is told.
    assert_orphans(&gateway(of, |_| id("X-Request-Id", 9), |_| String::new()));
    assert_orphans(&gateway(of, |_| String::new(), of));
}

#[test]
fn an_answer_that_is_passed_on_names_the_request() {
    let of = |n| id("X-Request-Id", n);
    let sent = |n| id("X-Request-Id", n + 50);
    assert_right(&gateway(sent, of, of));
    assert_orphans(&gateway(sent, |_| id("X-Request-Id", 9), |_| id("X-Request-Id", 9)));
}
