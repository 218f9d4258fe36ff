//! Every vendor's headers, as their SDKs and load balancers send them, make whole traces.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tracer_user::trace::{SpanId, TraceId};

use crate::headers::{assert_orphans, crowd};
use crate::http::{hex, w3c};
use crate::outcome::{Outcome, method, text};
use crate::recording::recorded;
use crate::script::{Script, Task, task};

const CLIENT: Task = Task { pid: 10, tid: 10 };
const FRONT: Task = Task { pid: 20, tid: 20 };
const BACK: Task = Task { pid: 30, tid: 30 };

fn jaeger(trace: u8, span: u8) -> String {
    format!("uber-trace-id: {}:{}:0:1\r\n", hex(&[trace; 16]), hex(&[span; 8]))
}

fn datadog(trace: u8, span: u8) -> String {
    let [low, parent] = [trace, span].map(|byte| u64::from_be_bytes([byte; 8]));
    format!(
        "x-datadog-trace-id: {low}\r\nx-datadog-parent-id: {parent}\r\n\
         x-datadog-sampling-priority: 1\r\nx-datadog-tags: _dd.p.dm=-1,_dd.p.tid={}\r\n",
        hex(&[trace; 8])
    )
}

/// Of an agent whose trace ids are plain UUIDs, so that they are known beforehand; the segment is
/// such that its span 0 has the id that is asked for.
fn skywalking(trace: u8, span: u8) -> String {
    let segment = [[span; 8], [0; 8]].concat();
    let [trace, segment] = [&[trace; 16][..], &segment].map(|id| BASE64_STANDARD.encode(hex(id)));
    let name = BASE64_STANDARD.encode("shop");
    format!("sw8: 1-{trace}-{segment}-0-{name}-{name}-{name}-{name}\r\n")
}

fn xray(trace: u8, span: u8) -> String {
    format!("{};Parent={};Sampled=1\r\n", balancer(trace).trim_end(), hex(&[span; 8]))
}

/// Of a load balancer: a trace without a span.
fn balancer(trace: u8) -> String {
    format!("X-Amzn-Trace-Id: Root=1-{}-{}\r\n", hex(&[trace; 4]), hex(&[trace; 12]))
}

fn google(trace: u8, span: u8) -> String {
    let span = u64::from_be_bytes([span; 8]);
    format!("X-Cloud-Trace-Context: {}/{span};o=1\r\n", hex(&[trace; 16]))
}

fn opencensus(trace: u8, span: u8) -> String {
    let bytes = [&[0, 0][..], &[trace; 16], &[1], &[span; 8], &[2, 1]].concat();
    format!("grpc-trace-bin: {}\r\n", BASE64_STANDARD.encode(bytes))
}

type Format = fn(u8, u8) -> String;
const FORMATS: [Format; 6] = [jaeger, datadog, skywalking, xray, google, opencensus];

#[track_caller]
fn assert_right(outcome: &Outcome) {
    for n in 0..5 {
        let call = outcome.client(&format!("/out/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/{n}")), "header");
        assert_eq!(call.trace_id, TraceId([n + 1; 16]));
    }
}

#[test]
fn each_names_the_request_whether_it_is_forwarded_or_renewed() {
    for format in FORMATS {
        let renewed = crowd(|n| format(n + 1, n + 1), |n| format(n + 1, n + 101));
        for script in [crowd(|n| format(n + 1, n + 1), |n| format(n + 1, n + 1)), renewed] {
            let outcome = recorded(&script);
            assert_right(&outcome);
            // Whoever made the context is above the whole.
            assert_eq!(outcome.client("/in/2").parent, Some(SpanId([3; 8])));
        }
        assert_orphans(&Outcome::of(&crowd(|n| format(n + 1, n + 1), |n| format(n + 50, n + 50))));
    }
}

#[test]
fn one_trace_in_two_formats_is_one_trace() {
    let script =
        crowd(|n| datadog(n + 1, n + 1), |n| w3c(n + 1, n + 101) + &datadog(n + 1, n + 101));
    let outcome = recorded(&script);
    assert_right(&outcome);
    assert_eq!(outcome.losses.get("context_headers_conflicting"), None);
}

#[test]
fn what_a_load_balancer_sends_gives_the_trace_its_id_and_no_parent() {
    let outcome = recorded(&crowd(|n| balancer(n + 1), |n| balancer(n + 1)));
    assert_right(&outcome);
    let top = outcome.client("/in/2");
    assert_eq!((top.parent, top.trace_id, method(top)), (None, TraceId([3; 16]), None));
    assert!(top.links.is_empty());
}

/// Client (behind a load balancer) -> front, which traces itself and passes nothing on but its own.
fn behind_a_balancer(incoming: &str, outgoing: &str) -> Outcome {
    let mut script = Script::new();
    let (one, two) = (script.outsider(80), script.connect(FRONT, 81));
    script.ask_with(CLIENT, one, "/in", incoming);
    script.hear(FRONT, one);
    script.call(FRONT, BACK, two, "/out", outgoing);
    script.answer(FRONT, one);
    recorded(&script)
}

#[test]
fn the_trace_of_an_sdk_goes_before_that_of_a_load_balancer() {
    let outcome = behind_a_balancer(&balancer(1), &w3c(0xab, 9));
    assert!(outcome.spans.iter().all(|span| span.trace_id == TraceId([0xab; 16])));
    assert_eq!(outcome.client("/out").parent, Some(outcome.server("/in").span_id));
    assert_eq!(outcome.server("/in").parent, None);
    assert_eq!(text(outcome.client("/out"), "tracer.same_request_as"), Some(&*hex(&[9; 8])));
}

/// The SDK of a service begins a trace; the load balancer's header is passed on beside it.
#[test]
fn a_load_balancers_header_is_evidence_beside_an_sdks() {
    let script = crowd(|n| balancer(n + 1), |n| balancer(n + 1) + &w3c(n + 101, n + 101));
    let outcome = recorded(&script);
    for n in 0..5 {
        let call = outcome.client(&format!("/out/{n}"));
        outcome.assert_edge(call, outcome.server(&format!("/in/{n}")), "correlation");
        assert_eq!(call.trace_id, TraceId([n + 101; 16]));
    }
}

#[test]
fn a_skywalking_trace_can_be_found_by_its_own_name() {
    let outcome = behind_a_balancer(&skywalking(7, 7), "");
    assert_eq!(text(outcome.server("/in"), "sw8.trace_id"), Some(&*hex(&[7; 16])));
    assert_eq!(text(outcome.client("/out"), "sw8.trace_id"), None);
    assert_eq!(outcome.client("/out").trace_id, TraceId([7; 16]));
}

#[test]
fn who_makes_a_load_balancers_header_does_not_trace_itself() {
    let mut script = Script::new();
    let wire = script.connect(task(20), 81);
    script.call(task(20), BACK, wire, "/out", &balancer(5));
    let outcome = Outcome::of(&script);
    assert!(outcome.spans.iter().all(|span| span.trace_id == TraceId([5; 16])));
    let says = |span: &tracer_user::trace::Span| {
        span.attributes.iter().any(|(name, _)| name == "tracer.instrumented")
    };
    assert!(!outcome.spans.iter().any(|span| says(span)));
}
