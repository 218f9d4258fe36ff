//! The views in a terminal, which ask the page's port.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::process::run;
use tests::shop::Shop;
use tests::{paths, poll};

use crate::open::Page;

const LIMIT: Duration = Duration::from_secs(30);

fn tracer(arguments: &[&str]) -> Command {
    let mut command = Command::new(paths::tracer());
    command.args(arguments).env_remove("TRACER_TOKEN").args(["--data-dir", "/nonexistent"]);
    command
}

#[test]
fn a_trace_is_printed() -> Result<()> {
    let shop = Shop::open()?;
    let ports = shop.ports.map(|port| port.to_string()).join(",");
    let page = Page::start("terminal-trace", &["--port", &ports])?;
    shop.check_out(1)?;
    let mut id = String::new();
    poll::until("a whole trace", LIMIT, || {
        let found: Value = serde_json::from_str(&page.ask("/ui/traces?service=payment", &[])?)?;
        let trace = &found["traces"][0];
        id = trace["id"].as_str().context("no trace")?.to_owned();
        ensure!(trace["spans"].as_u64() == Some(8), "{found}");
        Ok(())
    })?;
    let drawn = run("tracer trace", &mut tracer(&["trace", &id, "--url", &page.url]))?;
    let lines: Vec<_> = drawn.lines().collect();
    ensure!(lines.len() == 9 && lines[0].contains(&id), "{drawn}");
    let begins = [
        "curl -> GET /checkout/{id}",
        "  storefront GET",
        "    storefront -> GET",
        "      cart GET",
    ];
    for (line, begin) in lines.iter().skip(1).zip(begins) {
        ensure!(line.starts_with(begin), "{begin}: {drawn}");
    }
    ensure!(drawn.contains("pair 1.00") && drawn.contains('━'), "{drawn}");
    let json = run(
        "tracer trace",
        &mut tracer(&["trace", &id, "--url", &page.url, "--format", "zipkin"]),
    )?;
    let spans: Vec<Value> = serde_json::from_str(&json)?;
    ensure!(spans.len() == 8 && spans.iter().all(|span| span["traceId"] == *id), "{json}");
    for (arguments, message) in [
        (&["trace", "1234abcd", "--url", &page.url][..], "No such trace"),
        (&["trace", &id, "--url", &page.origin][..], "asks for its token"),
        (&["trace", &id, "--url", "http://127.0.0.1:1"][..], "no tracer answers"),
    ] {
        let output = tracer(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success() && said.contains(message), "{arguments:?}: {said}");
    }
    let by_variable = &mut tracer(&["trace", &id, "--url", &page.origin]);
    run("tracer trace", by_variable.env("TRACER_TOKEN", page.token()?))?;
    page.stop()?;
    Ok(())
}

#[test]
fn top_shows_services_until_it_is_left() -> Result<()> {
    let shop = Shop::open()?;
    let ports = shop.ports.map(|port| port.to_string()).join(",");
    let page = Page::start("terminal-top", &["--port", &ports])?;
    shop.check_out(1)?;
    let file = paths::logs().join("terminal-top.screen");
    // It needs a terminal; the one of util-linux's script has no size.
    let command =
        format!("stty rows 30 cols 120; '{}' top --url '{}'", paths::tracer().display(), page.url);
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
    script.env("TERM", "xterm").stdin(Stdio::piped()).stdout(File::create(&file)?);
    let mut top = script.spawn()?;
    let mut keys = top.stdin.take().context("no standard input")?;
    let seen = poll::until("all services on the screen", LIMIT, || {
        let screen = std::fs::read_to_string(&file)?;
        for service in ["storefront", "cart", "stock", "payment"] {
            ensure!(screen.contains(service), "no {service}: {screen:?}");
        }
        Ok(())
    });
    keys.write_all(b"q")?;
    let status = top.wait()?;
    seen?;
    ensure!(status.success(), "{status}");
    page.stop()?;
    Ok(())
}
