//! Paths, headers and services that would like to be more than text.

use std::process::Command;

use anyhow::{Result, ensure};
use tests::ports;
use tests::process::{Process, run};

use crate::browser::{Browser, LIMIT};
use crate::open::Page;

const SERVICE: &str = "<img src=x onerror=document.title='broken'>\u{1b}[2J\u{202e}";
const PATH: &str = "/<script>document.title='broken'</script>/\"onload=x/%1b[2J%07/{{7*7}}";

#[test]
fn what_comes_from_traffic_is_only_ever_text() -> Result<()> {
    let port = ports::free()?;
    let mut python = Command::new("python3");
    python.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    let mut server =
        Process::start("page-hostile-server", python.env("OTEL_SERVICE_NAME", SERVICE))?;
    server.wait_for_port(port, LIMIT)?;
    let page = Page::start("page-hostile", &["--port", &port.to_string()])?;
    for _ in 0..3 {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--silent", "--globoff", "--path-as-is", "--noproxy", "*"]);
        curl.args(["--user-agent", "<svg onload=alert(1)>\u{1b}]0;broken\u{7}"]);
        curl.args(["--header", "X-Forwarded-For: <b>", "--output", "/dev/null"]);
        run("curl", curl.arg(format!("http://127.0.0.1:{port}{PATH}")))?;
    }
    let browser = Browser::start("page-hostile")?;
    browser.open(&page.url)?;
    let named = |texts: &[String]| texts.iter().any(|text| text.contains("<img src=x"));
    browser.until("the service", "td button", named)?;
    browser.run("[...document.querySelectorAll('td button')].find((it) => it.textContent.includes('<img')).click()")?;
    browser.until("its panel", ".panel h2", |texts| {
        texts.iter().any(|text| text.contains("[2J\\u{202e}"))
    })?;
    only_text(&browser)?;
    browser.run("location.hash = '#/traces'")?;
    browser.until("the traces", ".traces a", |texts| texts.len() == 3)?;
    only_text(&browser)?;
    browser.click(".traces a")?;
    browser.until("the waterfall", ".row", |texts| texts.len() == 2)?;
    browser.run("document.querySelectorAll('.row')[1].click()")?;
    browser.until("the agent", ".details td", |texts| {
        texts.iter().any(|text| text.contains("<svg onload=alert(1)>"))
    })?;
    browser.picture("trace")?;
    only_text(&browser)?;
    browser.console_is_empty()?;
    browser.close()?;
    let metrics = page.ask("/metrics", &[])?;
    ensure!(metrics.lines().all(|line| line.starts_with(['#', 'h', 't', 'p'])), "{metrics}");
    page.stop().map(drop)
}

fn only_text(browser: &Browser) -> Result<()> {
    let made = browser.run(
        "return [document.title, document.querySelectorAll('main script, main img, svg script, main iframe').length, \
         document.querySelectorAll('[onerror], [onload]').length]",
    )?;
    ensure!(made == serde_json::json!(["Tracer", 0, 0]), "{made}");
    let steering = browser.run(
        "return [...document.body.textContent].filter((it) => it < ' ' && it !== '\\n' || it === '\\u202e').length",
    )?;
    ensure!(steering == 0, "{steering} characters that steer");
    Ok(())
}
