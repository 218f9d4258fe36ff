//! Beside processes that trace themselves: docs/instrumented-services.md names each of these tests.

use std::collections::HashSet;

use tracer_user::trace::{Kind, Span, SpanId, TraceId, Value};

use crate::http::{b3, get, hex, w3c};
use crate::outcome::{Outcome, method, text};
use crate::script::{End, SECOND, Script, Task, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const FRONT: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };

/// Another of the front service's threads.
fn other(tid: u32) -> Task {
    Task { tid, ..FRONT }
}

/// B3 with a parent, as SDKs with shared span ids send it.
fn b3_below(trace: u8, span: u8, parent: u8) -> String {
    format!("{}X-B3-ParentSpanId: {}\r\n", b3(trace, span), hex(&[parent; 8]))
}

/// The client asks the front service on one thread, which asks the back service meanwhile.
fn middle(incoming: &str, outgoing: &str) -> Outcome {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.ask_with(CLIENT, one, "/in", incoming);
    script.hear(FRONT, one);
    script.call(FRONT, BACK, two, "/out", outgoing);
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    Outcome::of(&script)
}

/// Two requests to the front service, both open while it makes a call on a third thread, so that
/// nothing but headers can tell which the call belongs to.
fn either(incoming: [&str; 2], outgoing: &str) -> Outcome {
    let mut script = Script::new();
    let wires = [script.connect(CLIENT, 80), script.connect(task(11), 80)];
    let out = script.connect(other(29), 81);
    script.ask_with(CLIENT, wires[0], "/in/0", incoming[0]);
    script.ask_with(task(11), wires[1], "/in/1", incoming[1]);
    script.hear(other(21), wires[0]);
    script.hear(other(22), wires[1]);
    script.call(other(29), BACK, out, "/out", outgoing);
    script.answer(other(21), wires[0]);
    script.answer(other(22), wires[1]);
    script.learn(CLIENT, wires[0]);
    script.learn(task(11), wires[1]);
    Outcome::of(&script)
}

#[track_caller]
fn assert_trace(outcome: &Outcome, trace: u8) {
    assert!(outcome.spans.iter().all(|span| span.trace_id == TraceId([trace; 16])));
}

/// No id is used twice, and none is an SDK's.
fn assert_ids(outcome: &Outcome, sdk: &[u8]) {
    let mut seen: HashSet<_> = sdk.iter().map(|&id| SpanId([id; 8])).collect();
    assert!(outcome.spans.iter().all(|span| seen.insert(span.span_id)));
}

fn same_request(span: &Span) -> Option<&str> {
    text(span, "tracer.same_request_as")
}

fn is_instrumented(span: &Span) -> bool {
    span.attributes
        .iter()
        .any(|(name, value)| name == "tracer.instrumented" && *value == Value::Bool(true))
}

#[test]
fn a_client_with_an_sdk_is_above_the_whole() {
    for header in [w3c(0xab, 9), b3(0xab, 9)] {
        let outcome = middle(&header, "");
        assert_trace(&outcome, 0xab);
        let (call, request) = (outcome.client("/in"), outcome.server("/in"));
        assert_eq!((call.parent, method(call)), (Some(SpanId([9; 8])), Some("header")));
        // The SDK's span and the tracer's are one request: both sides say so.
        let sdk = hex(&[9; 8]);
        assert_eq!((same_request(call), same_request(request)), (Some(&*sdk), Some(&*sdk)));
        assert!(is_instrumented(call) && !is_instrumented(request));
        outcome.assert_edge(request, call, "pair");
        assert_ids(&outcome, &[9]);
    }
}

#[test]
fn a_client_with_an_sdk_on_another_host_is_above_the_request() {
    let mut script = Script::new();
    let wire = script.outsider(80);
    script.call(CLIENT, FRONT, wire, "/in", &b3_below(0xab, 9, 8));
    let outcome = Outcome::of(&script);
    assert_trace(&outcome, 0xab);
    let request = outcome.server("/in");
    assert_eq!((request.parent, method(request)), (Some(SpanId([9; 8])), Some("header")));
}

#[test]
fn an_sdk_in_the_middle_gives_its_trace_to_the_tree() {
    for (header, sdk) in [(w3c(0xab, 9), vec![9]), (b3_below(0xab, 9, 8), vec![8, 9])] {
        let outcome = middle("", &header);
        assert_trace(&outcome, 0xab);
        assert_eq!(outcome.client("/in").parent, None);
        outcome.assert_edge(outcome.server("/in"), outcome.client("/in"), "pair");
        outcome.assert_edge(outcome.client("/out"), outcome.server("/in"), "thread");
        outcome.assert_edge(outcome.server("/out"), outcome.client("/out"), "pair");
        for span in [outcome.client("/out"), outcome.server("/out")] {
            assert_eq!(same_request(span), Some(&*hex(&[9; 8])));
        }
        assert_eq!(same_request(outcome.server("/in")), None);
        assert!(is_instrumented(outcome.server("/in")) && is_instrumented(outcome.client("/out")));
        assert!(!is_instrumented(outcome.client("/in")));
        assert!(!is_instrumented(outcome.server("/out")));
        assert_ids(&outcome, &sdk);
    }
}

#[test]
fn sdks_all_the_way_have_one_trace_with_the_tracers() {
    // Shared span ids (B3), and ids of each side's own (W3C).
    for (incoming, outgoing) in [(b3(0xab, 9), b3_below(0xab, 7, 9)), (w3c(0xab, 9), w3c(0xab, 7))]
    {
        let outcome = middle(&incoming, &outgoing);
        assert_trace(&outcome, 0xab);
        assert_eq!(outcome.client("/in").parent, Some(SpanId([9; 8])));
        outcome.assert_edge(outcome.client("/out"), outcome.server("/in"), "header");
        assert_eq!(same_request(outcome.client("/out")), Some(&*hex(&[7; 8])));
        assert_ids(&outcome, &[9, 7]);
    }
}

#[test]
fn a_shared_span_id_names_one_of_several_requests_of_a_trace() {
    let outcome = either([&b3(0xab, 8), &b3(0xab, 9)], &b3_below(0xab, 7, 9));
    outcome.assert_edge(outcome.client("/out"), outcome.server("/in/1"), "header");
    assert_eq!(outcome.client("/in/0").parent, Some(SpanId([8; 8])));
    assert_eq!(outcome.client("/in/1").parent, Some(SpanId([9; 8])));
}

/// The id in B3's header may be the callee's alone, as where its headers are made by hand.
#[test]
fn a_call_that_nobody_can_place_is_below_its_sdks_own_span() {
    for (header, parent) in [
        (b3_below(0xab, 9, 8), 8),
        (b3(0xab, 9), 9),
        (w3c(0xab, 9), 9),
        (format!("uber-trace-id: {}:{}:{}:1\r\n", hex(&[0xab; 16]), hex(&[9; 8]), "8"), 9),
    ] {
        let outcome = either(["", ""], &header);
        let call = outcome.client("/out");
        assert_eq!((call.parent, method(call)), (Some(SpanId([parent; 8])), Some("header")));
        assert_eq!(call.trace_id, TraceId([0xab; 16]));
        assert_eq!(same_request(call), Some(&*hex(&[9; 8])));
        outcome.assert_edge(outcome.server("/out"), call, "pair");
        assert_ne!(outcome.server("/in/0").trace_id, call.trace_id);
    }
}

/// What is forwarded is nobody's new span: its parent stays above the id that was forwarded.
#[test]
fn a_forwarded_header_describes_another_request() {
    let header = b3_below(0xab, 9, 8);
    let outcome = middle(&header, &header);
    outcome.assert_edge(outcome.client("/out"), outcome.server("/in"), "header");
    assert_eq!(same_request(outcome.client("/in")), Some(&*hex(&[9; 8])));
    assert_eq!(same_request(outcome.client("/out")), None);
    assert!(!is_instrumented(outcome.server("/in")));
    let outcome = either([&header, &header], &header);
    assert_eq!(outcome.client("/out").parent, Some(SpanId([9; 8])));
    assert_eq!(same_request(outcome.client("/out")), None);
}

fn assert_linked(span: &Span, trace: u8, id: u8, how: &str) {
    let [link] = &span.links[..] else { panic!("{:?}", span.links) };
    assert_eq!((link.trace_id, link.span_id), (TraceId([trace; 16]), SpanId([id; 8])));
    assert_eq!(link.attributes, [("tracer.link".into(), how.to_owned().into())]);
}

#[test]
fn of_two_traces_the_tree_adopts_the_earlier_and_links_the_later() {
    // A sidecar that rewrites the whole header, or an SDK that can't read the format.
    for (incoming, outgoing) in [(w3c(1, 1), w3c(2, 2)), (b3(1, 1), w3c(2, 2))] {
        let outcome = middle(&incoming, &outgoing);
        assert_trace(&outcome, 1);
        outcome.assert_edge(outcome.client("/out"), outcome.server("/in"), "thread");
        for span in [outcome.client("/out"), outcome.server("/out")] {
            assert_linked(span, 2, 2, "same_request");
            assert_eq!(same_request(span), None);
        }
        assert!(outcome.client("/in").links.is_empty() && outcome.server("/in").links.is_empty());
    }
}

/// client (SDK) -> a (plain, drops headers) -> b (SDK) -> c (forwards) -> d.
#[test]
fn two_sdks_with_a_plain_service_between_make_one_tree() {
    let mut script = Script::new();
    let [a, b, c, d] = [21, 22, 23, 24].map(task);
    let wires = [(CLIENT, 80), (a, 81), (b, 82), (c, 83)].map(|(by, to)| script.connect(by, to));
    script.ask_with(CLIENT, wires[0], "/a", &w3c(1, 1));
    script.hear(a, wires[0]);
    script.ask(a, wires[1], "/b");
    script.hear(b, wires[1]);
    script.ask_with(b, wires[2], "/c", &w3c(2, 2));
    script.hear(c, wires[2]);
    script.call(c, d, wires[3], "/d", &w3c(2, 2));
    script.answer(c, wires[2]);
    script.learn(b, wires[2]);
    script.answer(b, wires[1]);
    script.learn(a, wires[1]);
    script.answer(a, wires[0]);
    script.learn(CLIENT, wires[0]);
    let outcome = Outcome::of(&script);
    assert_trace(&outcome, 1);
    assert_eq!(outcome.client("/a").parent, Some(SpanId([1; 8])));
    outcome.assert_edge(outcome.client("/c"), outcome.server("/b"), "thread");
    assert_linked(outcome.client("/c"), 2, 2, "same_request");
    assert_linked(outcome.client("/d"), 2, 2, "carried");
    outcome.assert_edge(outcome.client("/d"), outcome.server("/c"), "header");
    assert_eq!(outcome.spans.iter().filter(|span| !span.links.is_empty()).count(), 4);
}

/// A job of an SDK's own, while one request is open: that nothing else is going on says too little.
#[test]
fn a_trace_of_ones_own_is_not_joined_by_being_alone() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(other(29), 81));
    script.ask_with(CLIENT, one, "/in", &w3c(1, 1));
    script.hear(FRONT, one);
    script.call(other(29), BACK, two, "/out", &w3c(2, 2));
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.client("/out").parent, Some(SpanId([2; 8])));
    assert_eq!(outcome.client("/out").trace_id, TraceId([2; 16]));
}

/// The trace of another request to the same process is never taken for one's own.
#[test]
fn a_trace_that_another_request_brought_is_not_joined_by_the_thread() {
    let mut script = Script::new();
    let wires = [script.connect(CLIENT, 80), script.connect(task(11), 80)];
    let out = script.connect(other(21), 81);
    script.ask_with(CLIENT, wires[0], "/in/0", &w3c(1, 1));
    script.ask_with(task(11), wires[1], "/in/1", &w3c(2, 2));
    script.hear(other(21), wires[0]);
    script.hear(other(22), wires[1]);
    script.call(other(21), BACK, out, "/out", &w3c(2, 3));
    script.answer(other(21), wires[0]);
    script.answer(other(22), wires[1]);
    script.learn(CLIENT, wires[0]);
    script.learn(task(11), wires[1]);
    let outcome = Outcome::of(&script);
    outcome.assert_edge(outcome.client("/out"), outcome.server("/in/1"), "header");
}

/// One header on a call and its retry: two calls of one request, and two spans.
#[test]
fn a_retry_with_the_same_header_is_another_span() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.ask(CLIENT, one, "/in");
    script.hear(FRONT, one);
    script.call(FRONT, BACK, two, "/out", &w3c(0xab, 9));
    script.call(FRONT, BACK, two, "/again", &w3c(0xab, 9));
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    let outcome = Outcome::of(&script);
    assert_trace(&outcome, 0xab);
    for path in ["/out", "/again"] {
        outcome.assert_edge(outcome.client(path), outcome.server("/in"), "thread");
        assert_eq!(same_request(outcome.client(path)), Some(&*hex(&[9; 8])));
    }
    assert_ids(&outcome, &[9]);
}

/// A retry while the first attempt is still open: which of the two a call belongs to, the header
/// does not say.
#[test]
fn a_header_on_two_open_requests_names_neither() {
    for outgoing in [w3c(1, 1), w3c(1, 2)] {
        let outcome = either([&w3c(1, 1), &w3c(1, 1)], &outgoing);
        let ours: Vec<_> = outcome.spans.iter().map(|span| Some(span.span_id)).collect();
        assert!(!ours.contains(&outcome.client("/out").parent));
        assert_trace(&outcome, 1);
    }
}

/// A header that a service sends for every request alike, written into its settings.
#[test]
fn a_constant_does_not_make_one_trace_of_several_requests() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    for n in 0..5 {
        script.ask(CLIENT, one, &format!("/in/{n}"));
        script.hear(FRONT, one);
        script.call(FRONT, BACK, two, &format!("/out/{n}"), &w3c(1, 1));
        script.answer(FRONT, one);
        script.learn(CLIENT, one);
        script.wait(2 * SECOND);
    }
    let outcome = Outcome::of(&script);
    let traces: HashSet<_> = outcome.spans.iter().map(|span| span.trace_id).collect();
    assert_eq!(traces.len(), 5);
    for n in 1..5 {
        let call = outcome.client(&format!("/out/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/{n}")), "thread");
        assert_linked(call, 1, 1, "carried");
        assert!(same_request(call).is_none() && !is_instrumented(call));
    }
}

/// A server may read before its client's send returns; the context is the client's all the same.
#[test]
fn whoever_is_seen_first_the_sender_made_the_header() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    let sending = script.send_slowly(CLIENT, wire, End::Opener, &get("/in", &w3c(0xab, 9)));
    script.hear(FRONT, wire);
    script.complete(sending);
    script.answer(FRONT, wire);
    script.learn(CLIENT, wire);
    let outcome = Outcome::of(&script);
    assert!(is_instrumented(outcome.client("/in")));
    assert_eq!(outcome.span(Kind::Client, "/in").parent, Some(SpanId([9; 8])));
}
