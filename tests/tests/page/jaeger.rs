//! Jaeger's query API: the tracer and Jaeger itself are sent the same spans and asked the same things.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::jaeger::Jaeger;
use tests::{http, poll};

use crate::browser::LIMIT;
use crate::fixture::{begin, compare, otlp, sorted, trace_id};
use crate::open::Page;

#[test]
fn the_query_api_answers_as_jaeger_does() -> Result<()> {
    let jaeger = Jaeger::start("page-jaeger")?;
    let page = Page::start("page-jaeger-tracer", &["--pid", "1", "--no-store=false"])?;
    let begin = begin()?;
    let spans = otlp(begin);
    http::post(&format!("http://127.0.0.1:{}/v1/traces", jaeger.http), &spans)?;
    let json = "Content-Type: application/json";
    page.ask("/v1/traces", &["--header", json, "--data", &spans.to_string()])?;
    let end = begin + 600_000_000;
    let search = format!("/api/traces?start={begin}&end={end}&limit=100");
    for ask in [&|path: &str| Ok(serde_json::from_str(&page.ask(path, &[])?)?), &|path: &str| {
        http::get(&format!("{}{path}", jaeger.url()))
    }] as [&dyn Fn(&str) -> Result<Value>; 2]
    {
        poll::until("all traces", LIMIT, || {
            let found = ["front", "batch", "mailer"].map(|service| {
                let found = ask(&format!("{search}&service={service}"))?;
                anyhow::Ok(found["data"].as_array().map_or(0, Vec::len))
            });
            let found = found.into_iter().collect::<Result<Vec<_>>>()?;
            ensure!(found == [4, 1, 1], "{found:?}");
            Ok(())
        })?;
    }
    let mut paths: Vec<String> = [
        "/api/services",
        "/api/services/front/operations",
        "/api/services/nobody/operations",
        "/api/operations?service=front",
        "/api/operations?service=front&spanKind=client",
        "/api/operations?service=cart",
    ]
    .map(str::to_owned)
    .into();
    paths.extend((1..=5).map(|trace| format!("/api/traces/{}", trace_id(trace))));
    paths.push(format!("/api/traces?traceID={}&traceID={}", trace_id(1), trace_id(3)));
    paths.push(format!("/api/dependencies?endTs={}&lookback=3600000", end / 1000));
    for of in [
        "service=front",
        "service=cart",
        "service=front&operation=get%20%2F",
        "service=cart&operation=compute",
        "service=front&operation=compute",
        "service=front&minDuration=85ms",
        "service=front&maxDuration=80ms",
        "service=cart&minDuration=1ms&maxDuration=10ms",
        "service=front&tags=%7B%22trace%22%3A%222%22%7D",
        "service=cart&tags=%7B%22http.route%22%3A%22compute%22%7D",
        "service=cart&tag=size:7",
        "service=front&tags=%7B%22span.kind%22%3A%22client%22%7D",
        "service=nobody",
    ] {
        paths.push(format!("{search}&{of}"));
    }
    // Which ones Jaeger chooses changes; the tracer has the newest.
    let two = format!("/api/traces?start={begin}&end={end}&service=front&limit=2");
    let two: Value = serde_json::from_str(&page.ask(&two, &[])?)?;
    let found = two["data"].as_array().into_iter().flatten();
    let mut newest: Vec<_> = found.map(|trace| trace["traceID"].as_str().unwrap_or("")).collect();
    newest.sort_unstable();
    ensure!(newest == [trace_id(4), trace_id(5)], "{newest:?}");
    // As Grafana's data source asks (pkg/tsdb/jaeger/client.go): without times, and with times for one.
    let tags = "%7B%22trace%22%3A%222%22%7D";
    paths.push(format!("/api/traces?limit=20&operation=get+%2Fcart&service=cart&tags={tags}"));
    paths.push(format!("/api/traces/{}?start={begin}&end={end}", trace_id(2)));
    let third = begin + 121_000_000;
    paths.push(format!("/api/traces?service=front&start={begin}&end={third}&limit=100"));
    paths.push(format!("/api/traces?service=front&start={third}&end={end}&limit=100"));
    compare(&page, &jaeger.url(), &paths, plain)?;
    page.stop().map(drop)
}

/// What is no order and no number of Jaeger's own.
fn plain(path: &str, mut answer: Value) -> Value {
    for trace in answer["data"].as_array_mut().into_iter().flatten() {
        let processes = trace.get("processes").cloned().unwrap_or_default();
        for span in trace.get_mut("spans").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(process) = span["processID"].as_str() {
                span["processID"] = processes[process].clone();
            }
        }
    }
    if path.starts_with("/api/dependencies") {
        calls_between_services(&mut answer);
    }
    sorted(&mut answer, &|field| field == "processes");
    whole_numbers(&mut answer);
    answer
}

/// 2 and 2.0 are the same number of JSON.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|number| number.fract() == 0.0) {
                *value = json!(whole);
            }
        }
        _ => {}
    }
}

/// Jaeger counts pairs of parent and child, those inside a service among them, and nothing that has no
/// spans of its own (a database, a queue); the tracer counts calls, as Zipkin does. What both count
/// has to be the same.
fn calls_between_services(answer: &mut Value) {
    let both = |link: &Value| {
        let [parent, child] = ["parent", "child"].map(|end| link[end].as_str().unwrap_or_default());
        let none = ["redis", "queue", "mailer"];
        parent != child && !none.contains(&parent) && !none.contains(&child)
    };
    if let Some(links) = answer["data"].as_array_mut() {
        links.retain(both);
    }
    answer["total"] = Value::Null;
}
