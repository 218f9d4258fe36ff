//! Headless Chromium, driven by WebDriver.

use std::fs;
use std::future::Future;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fantoccini::actions::{InputSource as _, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use serde_json::{Value, json};
use tests::process::Process;
use tests::{paths, poll, ports};
use tokio::runtime::{Builder, Runtime};
use url::{ParseError, Url};

/// How long anything may take to appear.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A browser with one window.
pub(crate) struct Browser {
    name: String,
    client: Client,
    runtime: Runtime,
    _driver: Process,
}

impl Browser {
    /// Starts one; `name` names its files.
    pub(crate) fn start(name: &str) -> Result<Browser> {
        let port = ports::free()?;
        let mut driver = Command::new("chromedriver");
        let log = format!("{name}-chromedriver");
        let mut driver = Process::start(&log, driver.arg(format!("--port={port}")))?;
        driver.wait_for_port(port, LIMIT)?;
        let options = json!({
            // Root has no sandbox, and containers little shared memory.
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-background-networking", "--no-proxy-server",
            ] },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let capabilities = options.as_object().context("an object")?.clone();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let url = format!("http://127.0.0.1:{port}");
        let connect = async {
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(capabilities)
                .connect(&url)
                .await
        };
        let client = runtime.block_on(connect).context("starting Chromium")?;
        Ok(Browser { name: name.to_owned(), client, runtime, _driver: driver })
    }

    fn wait<T, E: std::error::Error + Send + Sync + 'static>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T> {
        Ok(self.runtime.block_on(work)?)
    }

    /// Opens a page.
    pub(crate) fn open(&self, url: &str) -> Result<()> {
        self.wait(self.client.goto(url))
    }

    /// Makes the window so large.
    pub(crate) fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.wait(self.client.set_window_size(width, height))
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Result<Value> {
        self.wait(self.client.execute(script, vec![]))
    }

    /// The page's address as it is now.
    pub(crate) fn address(&self) -> Result<String> {
        Ok(self.wait(self.client.current_url())?.to_string())
    }

    /// Clicks the first element that fits.
    pub(crate) fn click(&self, css: &str) -> Result<()> {
        self.wait(async { self.client.find(Locator::Css(css)).await?.click().await })
            .with_context(|| format!("clicking {css}"))
    }

    /// Types into the first element that fits.
    pub(crate) fn type_into(&self, css: &str, text: &str) -> Result<()> {
        self.wait(async { self.client.find(Locator::Css(css)).await?.send_keys(text).await })
            .with_context(|| format!("typing into {css}"))
    }

    /// Drags with the mouse over an element, between two shares of its width.
    pub(crate) fn drag(&self, css: &str, from: f64, to: f64) -> Result<()> {
        let script = format!(
            "const box = document.querySelector({}).getBoundingClientRect(); \
             return [box.left, box.width, box.top + box.height / 2]",
            json!(css)
        );
        let (left, width, y): (f64, f64, f64) = serde_json::from_value(self.run(&script)?)?;
        let moved = |share: f64| PointerAction::MoveTo {
            duration: Some(Duration::from_millis(50)),
            x: left + share * width,
            y,
        };
        let actions = MouseActions::new("mouse".to_owned())
            .then(moved(from))
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(moved((from + to) / 2.0))
            .then(moved(to))
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.wait(self.client.perform_actions(actions)).with_context(|| format!("dragging {css}"))
    }

    /// The texts of all elements that fit.
    pub(crate) fn texts(&self, css: &str) -> Result<Vec<String>> {
        let script = format!(
            "return [...document.querySelectorAll({})].map((it) => it.textContent)",
            json!(css)
        );
        Ok(serde_json::from_value(self.run(&script)?)?)
    }

    /// Waits until the texts of the elements that fit are as wanted.
    pub(crate) fn until(
        &self,
        what: &str,
        css: &str,
        wanted: impl Fn(&[String]) -> bool,
    ) -> Result<Vec<String>> {
        poll::until(what, LIMIT, || {
            let texts = self.texts(css)?;
            ensure!(wanted(&texts), "{css}: {texts:?}");
            Ok(texts)
        })
    }

    /// Keeps what the window shows in `target/e2e/NAME-WHAT.png`.
    pub(crate) fn picture(&self, what: &str) -> Result<()> {
        let picture = self.wait(self.client.screenshot())?;
        Ok(fs::write(paths::logs().join(format!("{}-{what}.png", self.name)), picture)?)
    }

    /// Fails if anything was written to the console, a broken policy among it.
    pub(crate) fn console_is_empty(&self) -> Result<()> {
        let lines = self.wait(self.client.issue_cmd(Console))?;
        ensure!(lines.as_array().is_some_and(Vec::is_empty), "the console says: {lines:#}");
        Ok(())
    }

    /// Closes it.
    pub(crate) fn close(self) -> Result<()> {
        self.runtime.block_on(self.client.close())?;
        Ok(())
    }
}

/// Chromedriver's own command for what was written to the console since the last time.
#[derive(Debug)]
struct Console;

impl WebDriverCompatibleCommand for Console {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
