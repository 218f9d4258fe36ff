use prost::Message;
use serde_json::json;

use super::super::testing::{span, spans};
use super::*;
use crate::trace::Event;

#[test]
fn spans_are_grouped_by_resource_and_decode_back() {
    let mut other = span(3);
    other.resource = Arc::new(Resource {
        service: "stock".into(),
        attributes: vec![("service.name".into(), "not this".into())],
    });
    let list = [Arc::new(span(1)), Arc::new(other), Arc::new(span(2))];
    let bytes = request(&list).encode_to_vec();
    let read = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
    let seen: Vec<_> = read
        .resource_spans
        .iter()
        .map(|group| {
            assert_eq!(group.schema_url, SCHEMA_URL);
            let scope = &group.scope_spans[0];
            assert_eq!(scope.scope.as_ref().unwrap().name, "tracer");
            let ids: Vec<_> = scope.spans.iter().map(|span| span.span_id[7]).collect();
            let resource = group.resource.as_ref().unwrap();
            let keys: Vec<_> = resource.attributes.iter().map(|pair| pair.key.as_str()).collect();
            (keys, ids)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (vec!["service.name", "process.pid", "host.name"], vec![1, 2]),
            (vec!["service.name"], vec![3])
        ]
    );
}

#[test]
fn a_span_keeps_everything() {
    let mut given = span(1);
    given.trace_state = Some("v=1".into());
    given.status = Status::Error(Some("reset".into()));
    given.events.push(Event {
        time: 5,
        name: "retry".into(),
        attributes: given.attributes.clone(),
    });
    let read = otlp_span(&given);
    assert_eq!(read.trace_id, given.trace_id.0);
    assert_eq!(read.span_id, given.span_id.0);
    assert_eq!(read.parent_span_id, given.parent.unwrap().0);
    assert_eq!(read.trace_state, "v=1");
    assert_eq!(read.kind(), SpanKind::Server);
    assert_eq!((read.start_time_unix_nano, read.end_time_unix_nano), (given.start, given.end));
    assert_eq!(read.links[0].span_id, [4; 8]);
    let event = &read.events[0];
    assert_eq!((event.time_unix_nano, &*event.name, event.attributes.len()), (5, "retry", 4));
    let status = read.status.unwrap();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "reset"));
    assert_eq!(read.attributes.len(), given.attributes.len());
}

#[test]
fn flags_say_where_the_parent_is() {
    let mut span = span(1);
    assert_eq!(flags(&span), 0x301);
    span.kind = Kind::Client;
    assert_eq!(flags(&span), 0x101);
    span.kind = Kind::Consumer;
    assert_eq!(flags(&span), 0x301);
    span.parent = None;
    assert_eq!(flags(&span), 0x001);
}

/// OTLP's JSON is not protobuf's usual one: ids are hex, enums are numbers.
/// <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>
#[test]
fn json_is_as_the_specification_wants_it() {
    let mut given = span(1);
    given.attributes.push(("bad".into(), Value::Double(f64::NAN)));
    given.attributes.push(("list".into(), Value::Texts(vec!["a".into()])));
    let value = serde_json::to_value(request(&[Arc::new(given)])).unwrap();
    let group = &value["resourceSpans"][0];
    assert_eq!(
        group["resource"]["attributes"],
        json!([
            {"key": "service.name", "value": {"stringValue": "shop"}},
            {"key": "process.pid", "value": {"intValue": "42"}},
            {"key": "host.name", "value": {"stringValue": "box"}}
        ])
    );
    assert_eq!(group["schemaUrl"], SCHEMA_URL);
    let span = &group["scopeSpans"][0]["spans"][0];
    for (key, expected) in [
        ("traceId", json!("000000000000000000000000000000aa")),
        ("spanId", json!("0000000000000001")),
        ("parentSpanId", json!("00000000000000bb")),
        ("kind", json!(2)),
        ("flags", json!(0x301)),
        ("startTimeUnixNano", json!("1700000000000001000")),
        ("endTimeUnixNano", json!("1700000000001501000")),
        ("status", json!({"code": 2, "message": ""})),
    ] {
        assert_eq!(span[key], expected, "{key}");
    }
    assert_eq!(span["links"][0]["traceId"], "03030303030303030303030303030303");
    assert_eq!(span["attributes"][3]["value"], json!({"doubleValue": 0.98}));
    assert_eq!(span["attributes"][4]["value"], json!({"stringValue": "NaN"}));
    assert_eq!(
        span["attributes"][5]["value"],
        json!({"arrayValue": {"values": [{"stringValue": "a"}]}})
    );
    let back: ExportTraceServiceRequest = serde_json::from_value(value).unwrap();
    assert_eq!(back.resource_spans.len(), 1);
}

#[test]
fn a_batch_of_one_process_is_one_group() {
    assert_eq!(request(&spans(50)).resource_spans.len(), 1);
}
