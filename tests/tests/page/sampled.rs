//! What is kept where not all traces are, and that rates stay those of all.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::process::{Process, run};
use tests::{poll, ports};

use crate::browser::LIMIT;
use crate::open::Page;

/// Requests that go well, and requests that fail.
const GOOD: u64 = 400;
const FAILED: u64 = 3;

#[test]
fn whole_traces_are_chosen_and_stand_for_all() -> Result<()> {
    let port = ports::free()?;
    let mut python = Command::new("python3");
    python.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    let mut server =
        Process::start("page-sampled-server", python.env("OTEL_SERVICE_NAME", "files"))?;
    server.wait_for_port(port, LIMIT)?;
    let port = port.to_string();
    let store = ["--no-store=false", "--sample", "store", "--sample-rest", "5"];
    // Nothing is slow: what is on a busy machine is no part of this.
    let flags = [&store[..], &["--sample-slow", "100", "--port", &port]].concat();
    let page = Page::start("page-sampled", &flags)?;
    ask(&format!("http://127.0.0.1:{port}/?n=[1-{GOOD}]"), "GET")?;
    // A method that it does not have.
    ask(&format!("http://127.0.0.1:{port}/?n=[1-{FAILED}]"), "POST")?;
    let metric = |text: &str, name: &str| -> u64 {
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
    };
    let text = poll::until("all are decided", LIMIT, || {
        let text = page.ask("/metrics", &[])?;
        let decided = metric(&text, "tracer_sampling_traces_total");
        ensure!(decided == GOOD + FAILED, "{decided}");
        Ok(text)
    })?;
    let requests = metric(&text, "http_server_request_duration_seconds_count");
    ensure!(requests == GOOD + FAILED, "rates are of all: {requests}");
    let kept = |verdict: &str| {
        metric(&text, &format!("tracer_sampling_traces_total{{verdict=\"{verdict}\"}}"))
    };
    let (failed, rest, left_out) = (kept("failed"), kept("rest"), kept("left_out"));
    ensure!(failed == FAILED && rest > 0 && rest < GOOD / 2, "{failed} {rest}");
    ensure!(rest + left_out == GOOD, "{rest} {left_out}");
    let traces = |query: &str| -> Result<Vec<Value>> {
        let found: Value = serde_json::from_str(&page.ask(&format!("/ui/traces?{query}"), &[])?)?;
        found["traces"].as_array().cloned().context("traces")
    };
    let all = poll::until("all that was kept", LIMIT, || {
        let all = traces("limit=1000")?;
        ensure!(all.len() as u64 == failed + rest, "{}", all.len());
        Ok(all)
    })?;
    ensure!(all.iter().all(|trace| trace["spans"] == 2), "whole traces: {all:?}");
    ensure!(traces("errors=true")?.len() as u64 == FAILED, "all that failed");
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let calls = format!("/api/v2/dependencies?endTs={now}&lookback=3600000");
    let calls: Value = serde_json::from_str(&page.ask(&calls, &[])?)?;
    let counted = calls[0]["callCount"].as_u64().context("calls")?;
    ensure!(counted > failed + rest, "{counted} stand for more than {rest}");
    let state: Value = serde_json::from_str(&page.ask("/ui/state", &[])?)?;
    ensure!(state["sampling"]["left_out"] == left_out, "{state:#}");
    let ended = page.stop()?;
    let said = format!("{} spans left out", 2 * left_out);
    ensure!(ended.summary.contains(&said), "{said}: {}", ended.summary);
    ensure!(ended.summary.contains("lost: nothing"), "{}", ended.summary);
    Ok(())
}

fn ask(url: &str, method: &str) -> Result<()> {
    let mut curl = Command::new("curl");
    curl.args(["--disable", "--silent", "--output", "/dev/null", "--noproxy", "*"]);
    run("curl", curl.args(["--max-time", "60", "--request", method, url])).map(drop)
}
