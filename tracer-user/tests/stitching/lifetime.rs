//! When spans leave: ends that never come, parents that stay open, the tracer's own connections.

use tracer_common::record::VERDICT_SELF;
use tracer_user::trace::{Kind, Span, Value};

use crate::outcome::{Outcome, feed, path, pipeline, settings, text};
use crate::script::{End, SECOND, Script, Task, Wire, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const FRONT: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };

fn incomplete(span: &Span) -> Option<&str> {
    text(span, "tracer.incomplete")
}

#[test]
fn a_request_without_a_response_leaves_marked_when_the_connection_closes() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.ask(CLIENT, wire, "/a");
    script.hear(FRONT, wire);
    script.close(wire);
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.spans.len(), 2);
    for span in [outcome.client("/a"), outcome.server("/a")] {
        assert_eq!(incomplete(span), Some("connection_closed"));
        assert_eq!(text(span, "error.type"), Some("connection_closed"));
    }
    outcome.assert_edge(outcome.server("/a"), outcome.client("/a"), "pair");
}

#[test]
fn a_process_that_ends_ends_its_exchanges() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.ask(CLIENT, wire, "/a");
    script.hear(FRONT, wire);
    script.exit(FRONT.pid);
    script.close_end(wire, End::Acceptor);
    let mut pipeline = pipeline(settings());
    feed(&mut pipeline, &script, 0);
    pipeline.advance(script.now + 100 * SECOND);
    // The client still waits; the server's span waits for it no longer than it may.
    let spans = pipeline.take_spans();
    assert_eq!(spans.iter().map(|span| span.kind).collect::<Vec<_>>(), [Kind::Server]);
    assert_eq!(incomplete(&spans[0]), Some("connection_closed"));
}

#[test]
fn what_is_open_when_the_tracer_stops_leaves_marked() {
    let mut script = Script::new();
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    script.ask(CLIENT, one, "/a");
    script.hear(FRONT, one);
    script.call(FRONT, BACK, two, "/b", "");
    let mut pipeline = pipeline(settings());
    feed(&mut pipeline, &script, 0);
    pipeline.stop(script.now + SECOND / 10);
    let outcome = Outcome::taken(&mut pipeline);
    assert_eq!(outcome.spans.len(), 4);
    assert_eq!(incomplete(outcome.client("/a")), Some("tracer_stopped"));
    assert_eq!(incomplete(outcome.server("/a")), Some("tracer_stopped"));
    assert_eq!(incomplete(outcome.client("/b")), None);
    assert_eq!(outcome.server("/b").trace_id, outcome.server("/a").trace_id);
    assert_eq!(outcome.server("/a").end, script.now + SECOND / 10);
}

#[test]
fn a_finished_span_waits_for_late_evidence_and_no_longer() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.call(CLIENT, FRONT, wire, "/a", "");
    let mut pipeline = pipeline(settings());
    feed(&mut pipeline, &script, 0);
    pipeline.advance(script.now + SECOND / 2);
    assert!(pipeline.take_spans().is_empty());
    pipeline.advance(script.now + SECOND);
    assert_eq!(pipeline.take_spans().len(), 2);
}

/// A request that stays open for minutes, with a call made at its beginning by its own thread.
fn long_request(script: &mut Script) -> Wire {
    let (one, two) = (script.connect(CLIENT, 80), script.connect(FRONT, 81));
    // What the service has done before says that its threads can be believed.
    for i in 0..50 {
        script.ask(CLIENT, one, &format!("/before/{i}"));
        script.hear(FRONT, one);
        script.call(FRONT, BACK, two, &format!("/call/{i}"), "");
        script.answer(FRONT, one);
        script.learn(CLIENT, one);
    }
    script.wait(10 * SECOND);
    script.ask(CLIENT, one, "/long");
    script.hear(FRONT, one);
    script.call(FRONT, BACK, two, "/short", "");
    one
}

#[test]
fn a_call_of_a_request_that_stays_open_leaves_after_max_hold() {
    let mut script = Script::new();
    let one = long_request(&mut script);
    let mut pipeline = pipeline(settings());
    let done = feed(&mut pipeline, &script, 0);
    pipeline.take_spans();
    pipeline.advance(script.now + 29 * SECOND);
    let early: Vec<_> = pipeline.take_spans();
    assert!(early.iter().all(|span| !path(span).contains("short")));
    pipeline.advance(script.now + 31 * SECOND);
    let held = pipeline.take_spans();
    assert_eq!(held.len(), 2, "the call's two ends");
    script.wait(200 * SECOND);
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    feed(&mut pipeline, &script, done);
    let mut outcome = Outcome::end(pipeline, &script);
    let trace = held[0].trace_id;
    outcome.spans.extend(held);
    assert!(outcome.server("/long").end - outcome.server("/long").start > 200 * SECOND);
    assert_eq!(outcome.server("/long").trace_id, trace);
    assert_eq!(outcome.client("/long").trace_id, trace);
    assert_eq!(outcome.server("/short").trace_id, trace);
    assert_eq!(outcome.server("/short").parent, Some(outcome.client("/short").span_id));
}

/// The same, and the evidence at hand was enough: the edge is there although the parent was open.
#[test]
fn a_call_that_was_forced_out_may_have_its_parent() {
    let mut script = Script::new();
    let one = long_request(&mut script);
    script.wait(200 * SECOND);
    script.answer(FRONT, one);
    script.learn(CLIENT, one);
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.client("/short").parent, Some(outcome.server("/long").span_id));
    assert_eq!(outcome.client("/short").trace_id, outcome.client("/long").trace_id);
}

#[test]
fn a_pair_that_is_found_too_late_is_counted() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    let sending = script.send_slowly(CLIENT, wire, End::Opener, &crate::http::get("/a", ""));
    script.hear(FRONT, wire);
    script.answer(FRONT, wire);
    script.wait(20 * SECOND);
    script.complete(sending);
    script.learn(CLIENT, wire);
    let outcome = Outcome::of(&script);
    assert_eq!(outcome.server("/a").parent, None, "it had left as a root");
    assert_eq!(outcome.losses.get("late_evidence"), Some(&1));
}

/// The tracer exports to a backend on this host, which calls another service because of that,
/// which calls a third.
fn export(script: &mut Script, announced_late: bool) {
    let tracer = task(99);
    let (one, two) = (script.connect(tracer, 9411), script.connect(FRONT, 81));
    script.judge(one, End::Opener, VERDICT_SELF);
    let spans = crate::http::get("/export", "");
    if announced_late {
        let sending = script.send_slowly(tracer, one, End::Opener, &spans);
        script.hear(FRONT, one);
        script.complete(sending);
    } else {
        script.send(tracer, one, End::Opener, &spans);
        script.hear(FRONT, one);
    }
    let three = script.connect(BACK, 82);
    script.ask(FRONT, two, "/consequence");
    script.hear(BACK, two);
    script.ask(BACK, three, "/far");
    script.hear(task(40), three);
    script.answer(BACK, two);
    script.learn(FRONT, two);
    script.answer(FRONT, one);
    // The last consequence outlives its causes by far.
    script.wait(20 * SECOND);
    script.answer(task(40), three);
    script.learn(BACK, three);
}

#[test]
fn the_tracers_own_exports_and_what_they_cause_are_not_traced() {
    for announced_late in [false, true] {
        let mut script = Script::new();
        let wire = script.connect(CLIENT, 80);
        script.call(CLIENT, task(40), wire, "/a", "");
        export(&mut script, announced_late);
        let outcome = Outcome::of(&script);
        let left: Vec<_> = outcome.spans.iter().map(|span| path(span)).collect();
        assert_eq!(left, ["/a", "/a"], "{announced_late}");
        assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    }
}

#[test]
fn the_edge_of_a_root_has_no_method() {
    let mut script = Script::new();
    let wire = script.connect(CLIENT, 80);
    script.call(CLIENT, FRONT, wire, "/a", "");
    let outcome = Outcome::of(&script);
    let keys = |span: &Span| span.attributes.iter().map(|(key, _)| key.to_string()).collect();
    let (client, server): (Vec<_>, Vec<_>) =
        (keys(outcome.client("/a")), keys(outcome.server("/a")));
    assert!(!client.contains(&"tracer.parent.method".to_owned()));
    assert!(server.contains(&"tracer.parent.confidence".to_owned()));
    let confidence = outcome.server("/a").attributes.iter().find_map(|(key, value)| match value {
        Value::Double(number) if key == "tracer.parent.confidence" => Some(*number),
        _ => None,
    });
    assert_eq!(confidence, Some(1.0));
}
