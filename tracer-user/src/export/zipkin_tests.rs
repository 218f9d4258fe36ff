use serde_json::json;

use super::super::testing::span;
use super::*;
use crate::trace::{Event, SpanId, Status, Value};

fn written(span: Span) -> serde_json::Value {
    let (body, invalid) = json(&[Arc::new(span)]);
    assert_eq!(invalid, 0);
    let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
    list[0].clone()
}

#[test]
fn a_server_span() {
    assert_eq!(
        written(span(1)),
        json!({
            "traceId": "000000000000000000000000000000aa",
            "id": "0000000000000001",
            "parentId": "00000000000000bb",
            "kind": "SERVER",
            "name": "get /cart/{id}",
            "timestamp": 1_700_000_000_000_001_u64,
            "duration": 1500,
            "localEndpoint": {"serviceName": "shop", "ipv4": "127.0.0.1", "port": 8080},
            "remoteEndpoint": {"serviceName": "front", "ipv4": "10.0.0.7", "port": 50000},
            "tags": {
                "error": "500",
                "host.name": "box",
                "http.request.method": "GET",
                "http.response.status_code": "500",
                "links": "03030303030303030303030303030303-0404040404040404",
                "otel.status_code": "ERROR",
                "process.pid": "42",
                "tracer.parent.confidence": "0.98",
                "tracer.parent.method": "header"
            }
        })
    );
}

#[test]
fn a_bare_client_span() {
    let mut bare = span(2);
    bare.kind = Kind::Client;
    bare.parent = None;
    bare.status = Status::Unset;
    bare.trace_state = Some("v=1".into());
    bare.attributes.clear();
    bare.links.clear();
    bare.name.clear();
    bare.end = bare.start + 999;
    bare.local.address = Some("2001:db8::1".parse().unwrap());
    bare.remote = Endpoint { service: None, address: None, port: 0 };
    assert_eq!(
        written(bare),
        json!({
            "traceId": "000000000000000000000000000000aa",
            "id": "0000000000000002",
            "kind": "CLIENT",
            "timestamp": 1_700_000_000_000_002_u64,
            "duration": 1,
            "localEndpoint": {"serviceName": "shop", "ipv6": "2001:db8::1", "port": 8080},
            "tags": {"host.name": "box", "process.pid": "42", "w3c.tracestate": "v=1"}
        })
    );
}

#[test]
fn spans_of_others_have_events_and_kinds_of_their_own() {
    let event = |name: &str| Event { time: 5_999, name: name.into(), attributes: vec![] };
    let mut inner = span(1);
    inner.kind = Kind::Internal;
    inner.events = vec![event("cache miss"), event("")];
    let inner = written(inner);
    assert!(inner.get("kind").is_none());
    assert_eq!(inner["annotations"], json!([{"timestamp": 5, "value": "cache miss"}]));
    let mut sent = span(2);
    sent.kind = Kind::Producer;
    assert_eq!(written(sent)["kind"], "PRODUCER");
}

#[test]
fn errors_are_described_as_well_as_can_be() {
    let mut failed = span(1);
    failed.status = Status::Error(Some("reset by peer".into()));
    assert_eq!(written(failed.clone())["tags"]["error"], "reset by peer");
    failed.status = Status::Error(None);
    failed.attributes.push(("error.type".into(), "timeout".into()));
    assert_eq!(written(failed.clone())["tags"]["error"], "timeout");
    failed.attributes.clear();
    assert_eq!(written(failed)["tags"]["error"], "true");
}

#[test]
fn no_span_spoils_its_batch() {
    let mut no_id = span(1);
    no_id.span_id = SpanId([0; 8]);
    let mut no_trace = span(2);
    no_trace.trace_id.0 = [0; 16];
    let mut own_parent = span(3);
    own_parent.parent = Some(own_parent.span_id);
    own_parent.end = own_parent.start - 5_000_000;
    own_parent.attributes.push(("".into(), "v".into()));
    own_parent.attributes.push(("list".into(), Value::Texts(vec!["a".into(), "b\0\"".into()])));
    let (body, invalid) = json(&[no_id, no_trace, own_parent].map(Arc::new));
    assert_eq!(invalid, 2);
    let list: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
    assert_eq!(list.len(), 1);
    assert!(list[0].get("parentId").is_none());
    assert_eq!(list[0]["duration"], 1);
    assert_eq!(list[0]["tags"].as_object().unwrap().len(), 10);
    assert_eq!(list[0]["tags"]["list"], "a,b\0\"");
}

#[test]
fn nesting_survives_rounding() {
    let mut parent = span(1);
    (parent.start, parent.end) = (1_000_999, 3_000_001);
    let mut child = span(2);
    (child.start, child.end) = (1_001_000, 3_000_000);
    let end = |span: &serde_json::Value| {
        span["timestamp"].as_u64().unwrap() + span["duration"].as_u64().unwrap()
    };
    let (parent, child) = (written(parent), written(child));
    assert!(end(&child) <= end(&parent), "{child} {parent}");
}
