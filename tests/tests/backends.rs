//! The backends themselves: what is sent to them by hand comes back, in the same shape from both,
//! so that a difference that the other tests find is the tracer's.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::expect::{self, Call};
use tests::jaeger::Jaeger;
use tests::zipkin::Zipkin;
use tests::{http, poll};

const LIMIT: Duration = Duration::from_secs(30);
const TRACE: &str = "0123456789abcdef0123456789abcdef";
/// Id, parent, service, kind in Zipkin, kind in OTLP (its enumeration `Span.SpanKind`).
const SPANS: [(&str, &str, &str, &str, u8); 4] = [
    ("1000000000000001", "", "curl", "CLIENT", 3),
    ("1000000000000002", "1000000000000001", "one", "SERVER", 2),
    ("1000000000000003", "1000000000000002", "one", "CLIENT", 3),
    ("1000000000000004", "1000000000000003", "two", "SERVER", 2),
];

fn wanted() -> Call {
    Call::new("curl", "one", vec![Call::new("one", "two", vec![])]).with("GET /x", 500)
}

fn now_us() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros())?)
}

fn links(links: impl IntoIterator<Item = (String, String, u64)>) -> Result<()> {
    let mut links: Vec<_> = links.into_iter().collect();
    links.sort();
    let wanted = [("curl".into(), "one".into(), 1), ("one".into(), "two".into(), 1)];
    ensure!(links == wanted, "{links:?}");
    Ok(())
}

#[test]
fn zipkin_shows_what_it_was_sent() -> Result<()> {
    let zipkin = Zipkin::start()?;
    let start = now_us()?;
    let spans: Vec<Value> = SPANS
        .iter()
        .map(|(id, parent, service, kind, _)| {
            let mut span = json!({
                "traceId": TRACE, "id": id, "kind": kind, "name": "GET /x",
                "timestamp": start, "duration": 5000, "localEndpoint": {"serviceName": service},
                "tags": {"http.response.status_code": "500", "error": "500"},
            });
            if !parent.is_empty() {
                span["parentId"] = json!(parent);
            }
            span
        })
        .collect();
    http::post(&format!("{}/api/v2/spans", zipkin.url()), &json!(spans))?;
    poll::until("the trace", LIMIT, || {
        let traces = zipkin.traces("one")?;
        expect::check(traces.first().context("no trace")?, &wanted(), None, 5000)
    })?;
    poll::until("the links", LIMIT, || {
        let found = zipkin.dependencies(now_us()? / 1000)?;
        links(found.into_iter().map(|link| (link.parent, link.child, link.call_count)))
    })?;
    let services = zipkin.services()?;
    ensure!(services.contains(&"one".to_owned()) && services.contains(&"two".to_owned()));
    ensure!(zipkin.traces("nobody")?.is_empty());
    Ok(())
}

#[test]
fn jaeger_shows_what_it_was_sent() -> Result<()> {
    let jaeger = Jaeger::start("jaeger-backends")?;
    let start = now_us()?;
    let resources: Vec<Value> = SPANS
        .iter()
        .map(|(id, parent, service, _, kind)| {
            json!({
                "resource": {"attributes": [
                    {"key": "service.name", "value": {"stringValue": service}}]},
                "scopeSpans": [{"spans": [{
                    "traceId": TRACE, "spanId": id, "parentSpanId": parent, "kind": kind,
                    "name": "GET /x", "status": {"code": 2},
                    "startTimeUnixNano": (start * 1000).to_string(),
                    "endTimeUnixNano": ((start + 5000) * 1000).to_string(),
                    "attributes": [
                        {"key": "http.response.status_code", "value": {"intValue": "500"}}],
                }]}],
            })
        })
        .collect();
    let url = format!("http://127.0.0.1:{}/v1/traces", jaeger.http);
    http::post(&url, &json!({"resourceSpans": resources}))?;
    poll::until("the trace", LIMIT, || {
        let traces = jaeger.traces("one", start - 1_000_000)?;
        expect::check(traces.first().context("no trace")?, &wanted(), None, 5000)
    })?;
    // Of spans that have begun before the millisecond that is asked for.
    poll::until("the links", LIMIT, || {
        let found = jaeger.dependencies(now_us()? / 1000)?;
        links(found.into_iter().map(|link| (link.parent, link.child, link.call_count)))
    })?;
    ensure!(jaeger.traces("nobody", start - 1_000_000)?.is_empty());
    Ok(())
}
