//! Zipkin's query API: the tracer and Zipkin itself are sent the same spans and asked the same things.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::zipkin::Zipkin;
use tests::{http, poll};

use crate::browser::LIMIT;
use crate::open::Page;

/// Microseconds in a minute.
const MINUTE: u64 = 60_000_000;

/// Trace, id, parent, kind, service, name, remote service, start and duration in microseconds, error.
type Line =
    (u8, u64, u64, &'static str, &'static str, &'static str, &'static str, u64, u64, &'static str);

const LINES: [Line; 13] = [
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

fn trace_id(trace: u8) -> String {
    format!("4bf92f3577b34da6a3ce929d0e0e47{trace:02x}")
}

fn span(line: &Line, begin: u64) -> Value {
    let (trace, id, parent, kind, service, name, remote, start, duration, error) = *line;
    let mut span = json!({
        "traceId": trace_id(trace), "id": format!("{id:016x}"), "name": name,
        "timestamp": begin + start, "duration": duration,
        "localEndpoint": {"serviceName": service, "ipv4": "127.0.0.1", "port": 8080},
        "tags": {"http.route": name, "trace": trace.to_string()},
    });
    if parent > 0 {
        span["parentId"] = json!(format!("{parent:016x}"));
    }
    if !kind.is_empty() {
        span["kind"] = json!(kind);
    }
    if !remote.is_empty() {
        span["remoteEndpoint"] = json!({"serviceName": remote});
    }
    if !error.is_empty() {
        span["tags"]["error"] = json!(error);
    }
    if id == 4 {
        span["annotations"] = json!([{"timestamp": begin + 12_500, "value": "cache miss"}]);
    }
    span
}

/// Without what may differ: the order of what has none, and the tag that the tracer adds to errors.
fn plain(mut answer: Value) -> Value {
    fn sort(value: &mut Value) {
        match value {
            Value::Array(all) => {
                all.iter_mut().for_each(sort);
                all.sort_by_key(Value::to_string);
            }
            Value::Object(fields) => {
                fields.remove("otel.status_code");
                fields.values_mut().for_each(sort);
            }
            _ => {}
        }
    }
    sort(&mut answer);
    answer
}

#[test]
fn the_query_api_answers_as_zipkin_does() -> Result<()> {
    let zipkin = Zipkin::start()?;
    let page = Page::start("page-zipkin", &["--pid", "1", "--no-store=false"])?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let begin = u64::try_from(now.as_micros())? - 10 * MINUTE;
    let spans: Vec<Value> = LINES.iter().map(|line| span(line, begin)).collect();
    http::post(&format!("{}/api/v2/spans", zipkin.url()), &json!(spans))?;
    let body = json!(spans).to_string();
    page.ask("/api/v2/spans", &["--header", "Content-Type: application/json", "--data", &body])?;
    let all = format!("/api/v2/traceMany?traceIds={}", [1, 2, 3, 4, 5].map(trace_id).join(","));
    for ask in [&|path: &str| page.ask(path, &[]), &|path: &str| {
        Ok(http::get::<Value>(&format!("{}{path}", zipkin.url()))?.to_string())
    }] as [&dyn Fn(&str) -> Result<String>; 2]
    {
        poll::until("all traces", LIMIT, || {
            let traces: Value = serde_json::from_str(&ask(&all)?)?;
            ensure!(traces.as_array().is_some_and(|all| all.len() == 5), "{traces}");
            Ok(())
        })?;
    }
    let end = begin / 1000 + 600_000;
    let third = begin / 1000 + 121_000;
    let mut paths: Vec<String> = [
        "/api/v2/services",
        "/api/v2/spans?serviceName=front",
        "/api/v2/spans?serviceName=cart",
        "/api/v2/spans?serviceName=nobody",
        "/api/v2/remoteServices?serviceName=front",
        "/api/v2/remoteServices?serviceName=cart",
        "/zipkin/api/v2/services",
    ]
    .map(str::to_owned)
    .into();
    paths.push(all);
    paths.extend((1..=5).map(|trace| format!("/api/v2/trace/{}", trace_id(trace))));
    paths.push(format!("/api/v2/dependencies?endTs={end}&lookback=3600000"));
    for search in [
        "",
        "&limit=2",
        "&serviceName=front",
        "&serviceName=FRONT&spanName=get%20%2F",
        "&serviceName=cart&spanName=all",
        "&spanName=receive",
        "&serviceName=front&remoteServiceName=cart",
        "&remoteServiceName=queue",
        "&minDuration=80000",
        "&minDuration=80001",
        "&minDuration=6000&maxDuration=7000",
        "&serviceName=cart&minDuration=100000",
        "&annotationQuery=error",
        "&annotationQuery=error%3Doverload",
        "&annotationQuery=error%3D503%20and%20trace%3D2",
        "&annotationQuery=cache%20miss",
        "&annotationQuery=http.route%3Dget%20%2Fstock",
        "&annotationQuery=no%20such",
        "&serviceName=batch&annotationQuery=trace%3D3",
    ] {
        paths.push(format!("/api/v2/traces?endTs={end}&lookback=3600000{search}"));
    }
    paths.push(format!("/api/v2/traces?endTs={third}&lookback=3600000"));
    paths.push(format!("/api/v2/traces?endTs={third}&lookback=62000"));
    for path in paths {
        let theirs: Value = http::get(&format!("{}{path}", zipkin.url()))?;
        let ours: Value = serde_json::from_str(&page.ask(&path, &[])?)?;
        let (theirs, ours) = (plain(theirs), plain(ours));
        ensure!(ours == theirs, "{path}\nthe tracer: {ours:#}\nZipkin: {theirs:#}");
    }
    let ended = page.stop()?;
    ensure!(ended.summary.contains("stored: 13 spans"), "{}", ended.summary);
    Ok(())
}
