//! The views in a terminal, which ask the page's port.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
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

/// A command in a terminal of 30 lines of 120 columns.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    file: PathBuf,
}

impl Terminal {
    /// `name` names the file in which what it shows is kept.
    fn start(name: &str, command: &str) -> Result<Self> {
        let file = paths::logs().join(format!("{name}.screen"));
        // The one of util-linux's script has no size.
        let command = format!("stty rows 30 cols 120; exec {command}");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
        script.env("TERM", "xterm").env_remove("NO_COLOR");
        let mut script = script.stdin(Stdio::piped()).stdout(File::create(&file)?).spawn()?;
        let keys = script.stdin.take().context("no standard input")?;
        Ok(Self { script, keys, file })
    }

    /// Waits until all of these have been on the screen.
    fn until(&self, words: &[&str]) -> Result<()> {
        poll::until("words on the screen", LIMIT, || {
            let screen = fs::read_to_string(&self.file)?;
            for word in words {
                ensure!(screen.contains(word), "no {word}: {screen:?}");
            }
            Ok(())
        })
    }

    /// Presses a key that ends the command, and waits for its end.
    fn end(mut self, key: &[u8]) -> Result<()> {
        self.keys.write_all(key)?;
        let status = self.script.wait()?;
        ensure!(status.success(), "{status}");
        Ok(())
    }
}

#[test]
fn top_shows_services_until_it_is_left() -> Result<()> {
    let shop = Shop::open()?;
    let ports = shop.ports.map(|port| port.to_string()).join(",");
    let page = Page::start("terminal-top", &["--port", &ports])?;
    shop.check_out(1)?;
    let command = format!("'{}' top --url '{}'", paths::tracer().display(), page.url);
    let top = Terminal::start("terminal-top", &command)?;
    let seen = top.until(&["storefront", "cart", "stock", "payment"]);
    top.end(b"q")?;
    seen?;
    page.stop()?;
    Ok(())
}

#[test]
fn standard_output_shows_trees_on_a_terminal() -> Result<()> {
    let shop = Shop::open()?;
    let ports = shop.ports.map(|port| port.to_string()).join(",");
    let tracer = paths::tracer();
    let command = format!(
        "'{}' --ui off --no-store --export stdout --settle 200ms --port {ports}",
        tracer.display()
    );
    let terminal = Terminal::start("terminal-trees", &command)?;
    let seen = terminal.until(&["tracing:"]).and_then(|()| {
        shop.check_out(1)?;
        let nested = ["\ncurl -> GET /checkout/{id}", "\n        cart -> GET /stock/teapot"];
        terminal.until(&["  8 spans, ", nested[0], nested[1], "pair 1.00", "\u{1b}["])
    });
    // Ctrl-C.
    terminal.end(b"\x03")?;
    seen
}
