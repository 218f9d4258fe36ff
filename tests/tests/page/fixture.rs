//! Spans that the tracer and a backend are sent alike, and their answers side by side.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::http;

use crate::open::Page;

/// Microseconds in a minute.
const MINUTE: u64 = 60_000_000;

/// Trace, id, parent, kind, service, name, remote service, start and duration in microseconds, error.
pub(crate) type Line =
    (u8, u64, u64, &'static str, &'static str, &'static str, &'static str, u64, u64, &'static str);

pub(crate) const LINES: [Line; 13] = [
    (1, 1, 0, "SERVER", "front", "get /", "", 0, 90_000, ""),
    (1, 2, 1, "CLIENT", "front", "get /cart", "cart", 10_000, 50_000, ""),
    (1, 3, 2, "SERVER", "cart", "get /cart", "front", 11_000, 40_000, ""),
    (1, 4, 3, "", "cart", "compute", "", 12_000, 9_000, ""),
    (1, 5, 4, "CLIENT", "cart", "get", "redis", 13_000, 2_000, ""),
    (2, 6, 0, "SERVER", "front", "post /buy", "", 60_000_000, 300_000, "503"),
    (2, 7, 6, "CLIENT", "front", "get /cart", "cart", 60_010_000, 250_000, "503"),
    (2, 8, 7, "SERVER", "cart", "get /cart", "front", 60_011_000, 240_000, "overload"),
    (3, 9, 0, "CLIENT", "batch", "get /stock", "stock", 120_000_000, 7_000, ""),
    (3, 10, 9, "SERVER", "stock", "get /stock", "", 120_001_000, 6_000, ""),
    (4, 11, 0, "PRODUCER", "front", "send", "queue", 180_000_000, 1_000, ""),
    (4, 12, 11, "CONSUMER", "mailer", "receive", "queue", 180_500_000, 20_000, ""),
    (5, 13, 0, "SERVER", "front", "get /", "", 240_000_000, 80_000, ""),
];

pub(crate) fn trace_id(trace: u8) -> String {
    format!("4bf92f3577b34da6a3ce929d0e0e47{trace:02x}")
}

/// Ten minutes ago, in microseconds since the Unix epoch.
pub(crate) fn begin() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(now.as_micros())? - 10 * MINUTE)
}

/// Asks both the same things; `plain` takes away what may differ.
pub(crate) fn compare(
    page: &Page,
    theirs: &str,
    paths: &[String],
    plain: impl Fn(&str, Value) -> Value,
) -> Result<()> {
    let mut different = vec![];
    for path in paths {
        let from_them: Value = http::get(&format!("{theirs}{path}"))?;
        let from_us: Value = serde_json::from_str(&page.ask(path, &[])?)?;
        let (from_them, from_us) = (plain(path, from_them), plain(path, from_us));
        if from_us != from_them {
            different.push(format!("{path}\nthe tracer: {from_us:#}\nthe other: {from_them:#}"));
        }
    }
    ensure!(different.is_empty(), "{}", different.join("\n"));
    Ok(())
}

/// Lists in an order of their own, without the fields for which `drops` is true.
pub(crate) fn sorted(value: &mut Value, drops: &dyn Fn(&str) -> bool) {
    match value {
        Value::Array(all) => {
            all.iter_mut().for_each(|it| sorted(it, drops));
            all.sort_by_key(Value::to_string);
        }
        Value::Object(fields) => {
            fields.retain(|name, _| !drops(name));
            fields.values_mut().for_each(|it| sorted(it, drops));
        }
        _ => {}
    }
}

/// What both formats say of a line.
struct Told {
    trace: String,
    id: String,
    parent: Option<String>,
    kind: Option<&'static str>,
    service: &'static str,
    name: &'static str,
    remote: Option<&'static str>,
    error: Option<&'static str>,
    /// The trace's number, as an attribute.
    number: String,
    /// Microseconds since the Unix epoch.
    start: u64,
    duration: u64,
    /// When something else happened in it.
    event: Option<u64>,
    /// It is linked with a span of another trace.
    linked: bool,
}

/// Every line as one of a format's spans.
fn all(begin: u64, span: impl Fn(Told) -> Value) -> Value {
    let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
    let hex = |id: u64| format!("{id:016x}");
    let told = |line: &Line| {
        let (trace, id, parent, kind, service, name, remote, start, duration, error) = *line;
        let start = begin + start;
        span(Told {
            trace: trace_id(trace),
            id: hex(id),
            parent: Some(parent).filter(|parent| *parent > 0).map(hex),
            kind: some(kind),
            service,
            name,
            remote: some(remote),
            error: some(error),
            number: trace.to_string(),
            start,
            duration,
            event: (id == 4).then_some(start + 500),
            linked: id == 12,
        })
    };
    LINES.iter().map(told).collect()
}

/// As Zipkin's version 2 has it; what is null is left out.
pub(crate) fn zipkin(begin: u64) -> Value {
    all(begin, |told| {
        let mut span = json!({
            "traceId": told.trace, "id": told.id, "parentId": told.parent, "kind": told.kind,
            "name": told.name, "timestamp": told.start, "duration": told.duration,
            "localEndpoint": {"serviceName": told.service, "ipv4": "127.0.0.1", "port": 8080},
            "remoteEndpoint": told.remote.map(|remote| json!({"serviceName": remote})),
            "annotations": told.event.map(|at| json!([{"timestamp": at, "value": "cache miss"}])),
            "tags": {"http.route": told.name, "trace": told.number},
        });
        if let Some(error) = told.error {
            span["tags"]["error"] = json!(error);
        }
        if let Value::Object(fields) = &mut span {
            fields.retain(|_, value| !value.is_null());
        }
        span
    })
}

/// As OTLP's JSON has it, with a value of each type.
pub(crate) fn otlp(begin: u64) -> Value {
    const KINDS: [&str; 4] = ["SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
    let text = |key: &str, text: &str| json!({ "key": key, "value": { "stringValue": text } });
    let nanoseconds = |time: u64| format!("{}", time * 1000);
    let groups = all(begin, |told| {
        let mut attributes = vec![
            text("http.route", told.name),
            text("trace", &told.number),
            json!({ "key": "size", "value": { "intValue": "7" } }),
            json!({ "key": "share", "value": { "doubleValue": 0.5 } }),
            json!({ "key": "whole", "value": { "doubleValue": 2.0 } }),
            json!({ "key": "cached", "value": { "boolValue": true } }),
            json!({ "key": "tags", "value": { "arrayValue": { "values": [
                { "stringValue": "a" }, { "stringValue": "b" },
            ] } } }),
        ];
        attributes.extend(told.remote.map(|remote| text("peer.service", remote)));
        let status = match told.error {
            None => json!({}),
            Some("503") => json!({ "code": 2 }),
            Some(message) => json!({ "code": 2, "message": message }),
        };
        let event = |at| {
            json!({ "timeUnixNano": nanoseconds(at), "name": "cache miss",
                "attributes": [text("key", "cart")] })
        };
        let link = json!({ "traceId": trace_id(1), "spanId": format!("{:016x}", 2) });
        let kind = KINDS.iter().position(|kind| Some(*kind) == told.kind);
        let span = json!({
            "traceId": told.trace, "spanId": told.id, "parentSpanId": told.parent.unwrap_or_default(),
            "name": told.name, "kind": kind.map_or(1, |at| at + 2),
            "startTimeUnixNano": nanoseconds(told.start),
            "endTimeUnixNano": nanoseconds(told.start + told.duration),
            "attributes": attributes, "status": status,
            "events": told.event.map(event).into_iter().collect::<Vec<_>>(),
            "links": if told.linked { json!([link]) } else { json!([]) },
        });
        json!({
            "resource": { "attributes": [text("service.name", told.service), text("host.name", "box")] },
            "scopeSpans": [{ "spans": [span] }],
        })
    });
    json!({ "resourceSpans": groups })
}
