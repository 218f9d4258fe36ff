//! What is left out because of what processes say themselves: `--when-instrumented skip` and
//! `--respect-sampled`.

use tracer_common::record::VERDICT_OTHER;
use tracer_user::pipeline::Settings;
use tracer_user::trace::{LeaveOut, SpanId, TraceId};

use crate::http::{b3, hex, w3c};
use crate::outcome::{Outcome, feed, method, pipeline, settings, text};
use crate::script::{End, SECOND, Script, Task, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const FRONT: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };

fn skip(script: &Script) -> Outcome {
    let leave_out = LeaveOut { instrumented: true, unsampled: false };
    Outcome::with(script, Settings { leave_out, ..settings() })
}

fn sampled(script: &Script) -> Outcome {
    let leave_out = LeaveOut { instrumented: false, unsampled: true };
    Outcome::with(script, Settings { leave_out, ..settings() })
}

/// The services whose spans came out.
fn services(outcome: &Outcome) -> Vec<&str> {
    let mut names: Vec<_> = outcome.spans.iter().map(|span| &*span.resource.service).collect();
    names.sort_unstable();
    names
}

/// The client asks the front service, which asks the back service meanwhile.
fn middle(script: &mut Script, path: &str, incoming: &str, outgoing: &str) {
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.ask_with(CLIENT, one, &format!("/in{path}"), incoming);
    script.hear(FRONT, one);
    script.call(FRONT, BACK, two, &format!("/out{path}"), outgoing);
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
}

#[test]
fn a_skipped_service_is_bridged_by_its_own_spans() {
    let mut script = Script::new();
    middle(&mut script, "", "", &w3c(0xab, 9));
    let outcome = skip(&script);
    assert_eq!(services(&outcome), ["pid-10", "pid-30"]);
    assert!(outcome.spans.iter().all(|span| span.trace_id == TraceId([0xab; 16])));
    assert_eq!(outcome.client("/in").parent, None);
    // The SDK's span that the header names.
    let request = outcome.server("/out");
    assert_eq!((request.parent, method(request)), (Some(SpanId([9; 8])), Some("header")));
    assert_eq!((outcome.left_out.instrumented, outcome.left_out.own), (2, 0));
    assert_eq!(outcome.losses.get("late_evidence"), None);
}

/// The top of the tree is left out, so what is below it tells what is missing.
#[test]
fn losses_below_a_skipped_client_are_told() {
    let below = |span| text(span, "tracer.trace.incomplete");
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.ask_with(CLIENT, one, "/in", &w3c(0xab, 9));
    script.hear(FRONT, one);
    script.ask(FRONT, two, "/cut");
    script.hear(BACK, two);
    script.close(two);
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    let outcome = skip(&script);
    assert_eq!(services(&outcome), ["pid-20", "pid-20", "pid-30"]);
    assert_eq!(below(outcome.server("/in")), Some("connection_closed"));
    assert_eq!(below(outcome.client("/cut")), None);
    assert_eq!(below(outcome.server("/cut")), None);
}

/// A library that the SDK doesn't know sends no header: what is left of the tree holds together.
#[test]
fn a_skipped_services_bare_calls_are_below_its_caller() {
    let mut script = Script::new();
    middle(&mut script, "/1", "", &w3c(0xab, 9));
    middle(&mut script, "/2", "", "");
    let outcome = skip(&script);
    assert_eq!(services(&outcome), ["pid-10", "pid-10", "pid-30", "pid-30"]);
    // The less sure of the edges that are now one.
    outcome.assert_edge(outcome.server("/out/2"), outcome.client("/in/2"), "thread");
}

#[test]
fn a_client_that_is_skipped_leaves_its_span_above() {
    let mut script = Script::new();
    middle(&mut script, "", &w3c(0xab, 9), "");
    let outcome = skip(&script);
    assert_eq!(services(&outcome), ["pid-20", "pid-20", "pid-30"]);
    assert_eq!(outcome.server("/in").parent, Some(SpanId([9; 8])));
    outcome.assert_edge(outcome.client("/out"), outcome.server("/in"), "thread");
}

#[test]
fn services_that_forward_headers_are_not_skipped() {
    let mut script = Script::new();
    let one = script.outsider(80);
    let two = script.connect(FRONT, 81);
    for n in 0..3 {
        let header = b3(0xab, n + 1);
        script.ask_with(CLIENT, one, &format!("/in/{n}"), &header);
        script.hear(FRONT, one);
        script.call(FRONT, BACK, two, &format!("/out/{n}"), &header);
        script.answer(FRONT, one);
        script.learn(CLIENT, one);
    }
    assert_eq!(skip(&script).spans.len(), 9);
}

/// What it forwards may have come over a connection that is not decoded.
#[test]
fn a_header_proves_nothing_where_it_may_have_come_unseen() {
    let mut script = Script::new();
    let (hidden, out) = (script.outsider(443), script.connect(FRONT, 81));
    script.judge(hidden, End::Acceptor, VERDICT_OTHER);
    script.announce(FRONT, hidden, End::Acceptor);
    script.call(FRONT, BACK, out, "/out", &w3c(0xab, 9));
    let outcome = skip(&script);
    assert_eq!(services(&outcome), ["pid-20", "pid-30"]);
    assert_eq!(outcome.client("/out").parent, Some(SpanId([9; 8])));
}

/// Requests from before the tracer may still be open, for a while, on connections that have not
/// been seen; a pool's idle connections stay unseen for ever.
#[test]
fn what_is_made_a_minute_after_the_start_is_no_old_requests() {
    let mut script = Script::new();
    let old = script.opened_before(80, (500, 500));
    let ends = script.ends(old, End::Acceptor);
    let out = script.connect(FRONT, 81);
    for (n, pause) in [(1, 0), (2, 59), (3, 2)] {
        script.wait(pause * SECOND);
        script.call(FRONT, BACK, out, &format!("/{n}"), &w3c(n, n));
    }
    let leave_out = LeaveOut { instrumented: true, unsampled: false };
    let mut pipeline = pipeline(Settings { leave_out, ..settings() });
    pipeline.existing([(ends, FRONT.pid)], true);
    feed(&mut pipeline, &script, 0);
    let outcome = Outcome::end(pipeline, &script);
    assert_eq!(services(&outcome), ["pid-20", "pid-20", "pid-30", "pid-30", "pid-30"]);
}

/// That one of them had brought the very trace that a new one brings is out of the question.
#[test]
fn a_new_span_of_a_trace_that_was_brought_is_made_by_the_process() {
    let mut script = Script::new();
    let old = script.opened_before(80, (500, 500));
    let ends = script.ends(old, End::Acceptor);
    middle(&mut script, "", &w3c(0xab, 9), &w3c(0xab, 7));
    let leave_out = LeaveOut { instrumented: true, unsampled: false };
    let mut pipeline = pipeline(Settings { leave_out, ..settings() });
    pipeline.existing([(ends, FRONT.pid)], true);
    feed(&mut pipeline, &script, 0);
    let outcome = Outcome::end(pipeline, &script);
    assert_eq!(services(&outcome), ["pid-30"]);
    assert_eq!(outcome.server("/out").parent, Some(SpanId([7; 8])));
}

/// Exports of its spans show it where it calls nobody.
#[test]
fn services_that_export_spans_are_skipped_but_collectors_are_not() {
    for path in ["/v1/traces", "/prefix/v1/traces", "/api/v2/spans", "/api/v1/spans", "/api/traces"]
    {
        let mut script = Script::new();
        let collector = task(40);
        let backend = task(41);
        let wires = [script.connect(FRONT, 90), script.connect(collector, 91)];
        for (by, to, wire) in [(FRONT, collector, wires[0]), (collector, backend, wires[1])] {
            let post = format!("POST {path} HTTP/1.1\r\nHost: there\r\nContent-Length: 0\r\n\r\n");
            script.send(by, wire, End::Opener, post.as_bytes());
            script.hear(to, wire);
            script.answer(to, wire);
            script.learn(by, wire);
        }
        let out = script.connect(CLIENT, 80);
        script.call(CLIENT, FRONT, out, "/in", "");
        let outcome = skip(&script);
        assert_eq!(services(&outcome), ["pid-10", "pid-40", "pid-40", "pid-41"], "{path}");
    }
    // Reading traces from a backend is no export.
    let mut script = Script::new();
    let out = script.connect(CLIENT, 80);
    script.call(CLIENT, FRONT, out, "/api/traces", "");
    assert_eq!(skip(&script).spans.len(), 2);
}

#[test]
fn nothing_is_left_out_unless_asked() {
    let mut script = Script::new();
    middle(&mut script, "", "", &unsampled(0xab, 9));
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 4);
    assert_eq!(outcome.left_out, Default::default());
}

/// A `traceparent` whose trace is not kept.
fn unsampled(trace: u8, span: u8) -> String {
    format!("traceparent: 00-{}-{}-00\r\n", hex(&[trace; 16]), hex(&[span; 8]))
}

#[test]
fn the_callers_decision_counts_for_the_trace_that_is_adopted() {
    let b3 = |flag: &str| {
        let (trace, span) = (hex(&[0xab; 16]), hex(&[9; 8]));
        format!("X-B3-TraceId: {trace}\r\nX-B3-SpanId: {span}\r\n{flag}")
    };
    let jaeger = |flags: u8| format!("uber-trace-id: {}:9:0:{flags}\r\n", hex(&[0xab; 16]));
    for (incoming, outgoing, kept) in [
        (w3c(0xab, 9), String::new(), true),
        (unsampled(0xab, 9), String::new(), false),
        (b3("X-B3-Sampled: 1\r\n"), String::new(), true),
        (b3("X-B3-Sampled: 0\r\n"), String::new(), false),
        // Deferred: whoever receives it decides.
        (b3(""), String::new(), true),
        // Debug overrules.
        (b3("X-B3-Sampled: 0\r\nX-B3-Flags: 1\r\n"), String::new(), true),
        (format!("b3: {}-{}-d\r\n", hex(&[0xab; 16]), hex(&[9; 8])), String::new(), true),
        (format!("b3: {}-{}-0\r\n", hex(&[0xab; 16]), hex(&[9; 8])), String::new(), false),
        (jaeger(0), String::new(), false),
        (jaeger(1), String::new(), true),
        (jaeger(2), String::new(), true),
        // An SDK in the middle gives its decision to the tree that adopts its trace.
        (String::new(), unsampled(0xab, 9), false),
        // The later of two traces has no say.
        (w3c(1, 1), unsampled(2, 2), true),
        (unsampled(1, 1), w3c(2, 2), false),
        // A decision alone names no trace.
        ("X-B3-Sampled: 0\r\n".to_owned(), String::new(), true),
    ] {
        let mut script = Script::new();
        middle(&mut script, "", &incoming, &outgoing);
        let outcome = sampled(&script);
        let (spans, left_out) = if kept { (4, 0) } else { (0, 4) };
        assert_eq!(outcome.spans.len(), spans, "{incoming:?} {outgoing:?}");
        assert_eq!(outcome.left_out.unsampled, left_out);
    }
}
