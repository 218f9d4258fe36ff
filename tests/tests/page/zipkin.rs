//! Zipkin's query API: the tracer and Zipkin itself are sent the same spans and asked the same things;
//! and Zipkin's own page, Lens, shows what the tracer holds.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value;
use tests::process::Process;
use tests::zipkin::Zipkin;
use tests::{http, paths, poll, ports, prepare};

use crate::browser::{Browser, LIMIT};
use crate::fixture::{begin, compare, sorted, trace_id, zipkin};
use crate::open::Page;

const JSON: [&str; 2] = ["--header", "Content-Type: application/json"];

/// A tracer that traces next to nothing and was sent all spans; waits until `ask` gives all traces.
fn filled(name: &str, begin: u64) -> Result<Page> {
    let page = Page::start(name, &["--pid", "1", "--no-store=false"])?;
    let body = zipkin(begin).to_string();
    page.ask("/api/v2/spans", &[&JSON[..], &["--data", &body]].concat())?;
    all_there(|path| Ok(serde_json::from_str(&page.ask(path, &[])?)?))?;
    Ok(page)
}

fn many() -> String {
    format!("/api/v2/traceMany?traceIds={}", [1, 2, 3, 4, 5].map(trace_id).join(","))
}

fn all_there(ask: impl Fn(&str) -> Result<Value>) -> Result<()> {
    poll::until("all traces", LIMIT, || {
        let traces = ask(&many())?;
        ensure!(traces.as_array().is_some_and(|all| all.len() == 5), "{traces}");
        Ok(())
    })
}

#[test]
fn the_query_api_answers_as_zipkin_does() -> Result<()> {
    let server = Zipkin::start()?;
    let begin = begin()?;
    http::post(&format!("{}/api/v2/spans", server.url()), &zipkin(begin))?;
    all_there(|path| http::get(&format!("{}{path}", server.url())))?;
    let page = filled("page-zipkin", begin)?;
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
    paths.push(many());
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
    // As Grafana's data source asks.
    paths.push("/api/v2/traces?serviceName=front&spanName=get%20%2F".to_owned());
    paths.push(format!("/api/v2/traces?endTs={third}&lookback=3600000"));
    paths.push(format!("/api/v2/traces?endTs={third}&lookback=62000"));
    // The tracer adds a tag to errors; what has no order may come in any.
    compare(&page, &server.url(), &paths, |_, mut answer| {
        sorted(&mut answer, &|field| field == "otel.status_code");
        answer
    })?;
    let ended = page.stop()?;
    ensure!(ended.summary.contains("stored: 13 spans"), "{}", ended.summary);
    Ok(())
}

#[test]
fn zipkins_own_page_shows_what_the_tracer_holds() -> Result<()> {
    let page = filled("page-lens", begin()?)?;
    let port = ports::free()?;
    let mut lens = Command::new("python3");
    lens.arg(paths::service_sources().join("lens.py")).env("PORT", port.to_string());
    lens.env("LENS_JAR", prepare::zipkin()?).env("API", &page.origin).env("TOKEN", page.token()?);
    let mut lens = Process::start("page-lens-server", &mut lens)?;
    lens.wait_for_port(port, LIMIT)?;
    let browser = Browser::start("page-lens")?;
    browser.resize(1280, 900)?;
    let url = format!("http://127.0.0.1:{port}/zipkin");
    browser.open(&format!("{url}/?serviceName=cart&lookback=1h&limit=10"))?;
    let says = |what: &str, words: &'static [&'static str]| {
        browser.until(what, "body", |texts| {
            let text = texts.concat().to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    };
    says("the form", &["run query"])?;
    browser.run(
        "[...document.querySelectorAll('button')] \
           .find((it) => /run query/i.test(it.textContent)).click()",
    )?;
    says(
        "both traces of the cart",
        &["results", "front: get /", "front: post /buy", "300.000ms", "90.000ms"],
    )?;
    browser.picture("search")?;
    browser.open(&format!("{url}/traces/{}", trace_id(2)))?;
    says("the failed trace", &["front", "cart", "post /buy", "get /cart", "300ms"])?;
    browser.picture("trace")?;
    browser.open(&format!("{url}/dependency?startTime=0&endTime=9999999999999"))?;
    poll::until("the dependencies are drawn", LIMIT, || {
        let drawn = browser.run("return document.querySelectorAll('canvas').length")?;
        ensure!(drawn.as_u64() > Some(0), "{drawn}");
        Ok(())
    })?;
    browser.picture("dependencies")?;
    browser.close()?;
    page.stop().map(drop)
}
