//! What else the port serves: metrics, health, and the spans of SDKs.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::process::{Process, run};
use tests::{paths, poll, ports, prepare};

use crate::browser::LIMIT;
use crate::open::Page;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

pub(crate) fn server(name: &str) -> Result<(Process, u16)> {
    let port = ports::free()?;
    let mut python = Command::new("python3");
    python.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    let mut server = Process::start(name, python.env("OTEL_SERVICE_NAME", "files"))?;
    server.wait_for_port(port, LIMIT)?;
    Ok((server, port))
}

pub(crate) fn curl(arguments: &[&str]) -> Result<String> {
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
    run("curl", curl.args(["--noproxy", "*", "--max-time", "20"]).args(arguments))
}

#[test]
fn spans_that_services_send_complete_the_tree() -> Result<()> {
    let (_server, port) = server("page-sdk-server")?;
    let page = Page::start("page-sdk", &[])?;
    let parent = format!("traceparent: 00-{TRACE}-{CALLER}-01");
    curl(&["--header", &parent, &format!("http://127.0.0.1:{port}/asked")])?;
    let span = json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "sdk" } }] },
        "scopeSpans": [{ "spans": [{
            "traceId": TRACE, "spanId": CALLER, "name": "work", "kind": 1,
            "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000500000000",
            "attributes": [{ "key": "step", "value": { "intValue": "7" } }],
        }] }],
    }] });
    let json = "Content-Type: application/json";
    page.ask("/v1/traces", &["--header", json, "--data", &span.to_string()])?;
    let spans = whole(&page, TRACE, "sdk", CALLER)?;
    ensure!(spans.iter().any(|span| span["kind"] == "INTERNAL"), "{spans:#?}");
    let otlp: Value = serde_json::from_str(&page.ask(&format!("/ui/trace/{TRACE}/otlp"), &[])?)?;
    ensure!(otlp["resourceSpans"].as_array().is_some_and(|it| it.len() >= 2), "{otlp:#}");
    let seen: Value = serde_json::from_str(&page.ask("/ui/traces?text=v1", &[])?)?;
    ensure!(seen["traces"] == json!([]), "what is sent to the tracer is no trace: {seen:#}");
    page.stop().map(drop)
}

/// The spans of a trace in which the service's own request is below a span that `service` sent.
fn whole(page: &Page, trace: &str, service: &str, caller: &str) -> Result<Vec<Value>> {
    let spans = poll::until("both spans", LIMIT, || {
        let trace: Value = serde_json::from_str(&page.ask(&format!("/ui/trace/{trace}"), &[])?)?;
        let spans = trace["spans"].as_array().context("spans")?.clone();
        let there = |name: &str| spans.iter().any(|span| span["service"] == name);
        ensure!(there(service) && there("files"), "{trace:#}");
        Ok(spans)
    })?;
    let of = |service: &str| spans.iter().find(|span| span["service"] == service);
    let ours = of("files").context("files")?;
    ensure!(ours["kind"] == "SERVER", "{ours:#}");
    let above = |id: &Value| spans.iter().find(|span| span["id"] == *id);
    // The caller's own span is between, where it is seen.
    let parent = above(&ours["parent"]).context("the server's parent")?;
    let top = if parent["id"] == caller {
        parent
    } else {
        above(&parent["parent"]).context("the caller's parent")?
    };
    ensure!(top["id"] == caller && top["service"] == service, "{spans:#?}");
    Ok(spans)
}

#[test]
fn a_real_sdk_completes_the_tree() -> Result<()> {
    let (_server, port) = server("page-real-sdk-server")?;
    let page = Page::start("page-real-sdk", &["--port", &port.to_string()])?;
    let mut sdk = Command::new(prepare::instrumented_python()?.join("python"));
    sdk.arg(paths::service_sources().join("instrumented/sdk.py"));
    sdk.env("URL", format!("http://127.0.0.1:{port}/asked")).env("NO_PROXY", "*");
    sdk.env("OTEL_SERVICE_NAME", "sdk").env("OTEL_EXPORTER_OTLP_ENDPOINT", &page.origin);
    let token = page.token()?;
    sdk.env("OTEL_EXPORTER_OTLP_HEADERS", format!("Authorization=Bearer%20{token}"));
    let ids = run("the SDK", &mut sdk)?;
    let (trace, span) = ids.trim().split_once(' ').with_context(|| ids.clone())?;
    let spans = whole(&page, trace, "sdk", span)?;
    let work = spans.iter().find(|it| it["id"] == span).context("its span")?;
    ensure!(work["name"] == "work" && work["events"][0]["name"] == "asking", "{work:#}");
    ensure!(work["events"][0]["attributes"] == json!([["attempt", 1]]), "{work:#}");
    page.stop().map(drop)
}

#[test]
fn prometheus_gets_what_was_seen() -> Result<()> {
    let (_server, port) = server("page-metrics-server")?;
    let page = Page::start("page-metrics", &["--port", &port.to_string()])?;
    for _ in 0..5 {
        curl(&[&format!("http://127.0.0.1:{port}/asked")])?;
    }
    let metrics = poll::until("five requests", LIMIT, || {
        let text = page.ask("/metrics", &[])?;
        let line = text.lines().find(|line| {
            line.starts_with("http_server_request_duration_seconds_count{")
                && line.contains("service_name=\"files\"")
        });
        let line = line.with_context(|| text.clone())?;
        ensure!(
            line.ends_with(" 5") && line.contains("http_response_status_code=\"404\""),
            "{line}"
        );
        Ok(text)
    })?;
    for wanted in [
        "traces_service_graph_request_total{client=\"curl\",server=\"files\",connection_type=\"\"} 5",
        "tracer_up 1",
    ] {
        ensure!(metrics.lines().any(|line| line == wanted), "{wanted}\n{metrics}");
    }
    let own =
        |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    ensure!(own("tracer_events_total").is_some_and(|events: f64| events >= 10.0), "{metrics}");
    page.stop().map(drop)
}

#[test]
fn only_who_has_the_token_comes_in() -> Result<()> {
    let page = Page::start("page-token", &["--pid", "1"])?;
    let origin = page.origin.clone();
    let status =
        |arguments: &[&str], path: &str| curl(&[arguments, &[&format!("{origin}{path}")]].concat());
    ensure!(status(&[], "/healthz")? == "200");
    poll::until("readiness", LIMIT, || {
        ensure!(status(&[], "/readyz")? == "200");
        Ok(())
    })?;
    for path in ["/", "/metrics", "/ui/state", "/app.js", "/v1/traces"] {
        ensure!(status(&[], path)? == "401", "{path}");
    }
    let token = page.token()?;
    ensure!(page.url == format!("{origin}/?token={token}"), "{}", page.url);
    ensure!(status(&[], &format!("/?token={token}"))? == "200");
    let cookie = format!("Cookie: tracer_token={token}");
    ensure!(status(&["--header", &cookie], "/ui/state")? == "200");
    ensure!(
        status(&["--header", &cookie, "--header", "Host: evil.example"], "/ui/state")? == "421"
    );
    ensure!(
        status(&["--header", &cookie, "--header", "Origin: http://evil.example"], "/ui/state")?
            == "403"
    );
    page.stop().map(drop)
}

#[test]
fn a_second_tracer_starts_well() -> Result<()> {
    let first = Page::start("page-first", &["--pid", "1"])?;
    let address = first.origin.trim_start_matches("http://").to_owned();
    let mut command = Command::new(tests::paths::tracer());
    command.args(["--ui", &address, "--duration", "1s"]);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success() && said.contains("--ui: cannot listen on"), "{said}");
    let second = Page::start("page-second", &["--pid", "1"])?;
    second.stop()?;
    first.stop().map(drop)
}
