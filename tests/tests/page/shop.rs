//! The demo's shop, looked at.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::paths;
use tests::shop::Shop;

use crate::browser::Browser;
use crate::open::Page;

const SERVICES: [&str; 4] = ["storefront", "cart", "stock", "payment"];

#[test]
fn a_person_finds_a_slow_request() -> Result<()> {
    let shop = Shop::open()?;
    let ports = shop.ports.map(|port| port.to_string()).join(",");
    let page = Page::start("page-shop", &["--port", &ports, "--no-store=false"])?;
    let browser = Browser::start("page-shop")?;
    browser.resize(1280, 800)?;
    browser.open(&page.url)?;
    browser
        .until("an explanation", ".empty", |texts| texts.join(" ").contains("No requests yet"))?;
    ensure!(!browser.address()?.contains("token"), "the token is in {}", browser.address()?);
    browser.picture("empty")?;
    for customer in 1..=24 {
        shop.check_out(customer)?;
    }
    map_fills(&browser)?;
    trace_is_found(&browser)?;
    waterfall_is_right(&browser)?;
    range_is_brushed(&browser)?;
    file_is_opened(&browser, &page)?;
    for (width, theme) in [(400, "dark"), (400, "light"), (1280, "dark")] {
        browser.resize(width, 900)?;
        browser.run(&format!("document.documentElement.dataset.theme = '{theme}'"))?;
        for view in ["map", "traces", "tracer"] {
            browser.run(&format!("location.hash = '#/{view}'"))?;
            browser.until("the view", "main h1", |texts| !texts.is_empty())?;
            fits(&browser, view)?;
            browser.picture(&format!("{view}-{width}-{theme}"))?;
        }
    }
    browser.console_is_empty()?;
    browser.close()?;
    let ended = page.stop()?;
    ensure!(ended.summary.contains("lost: nothing"), "{}", ended.summary);
    ensure!(ended.summary.contains("stored: 192 spans"), "24 checkouts: {}", ended.summary);
    Ok(())
}

fn map_fills(browser: &Browser) -> Result<()> {
    let has_all = |texts: &[String]| SERVICES.iter().all(|it| texts.iter().any(|name| name == it));
    browser.until("all services", ".node .name", has_all)?;
    browser.until("payment's errors", ".node.bad .name", |texts| {
        texts.iter().any(|name| name == "payment")
    })?;
    ensure!(browser.texts(".edge path")?.len() >= 4, "too few calls");
    browser.picture("map-light")?;
    browser.run("document.documentElement.dataset.theme = 'dark'")?;
    browser.picture("map-dark")?;
    browser.run("document.documentElement.dataset.theme = 'light'")?;
    browser.run("[...document.querySelectorAll('td button')].find((it) => it.textContent === 'cart').click()")?;
    browser.until("routes of the cart", ".panel td a", |texts| texts == ["GET /cart/{id}"])?;
    Ok(())
}

fn trace_is_found(browser: &Browser) -> Result<()> {
    browser.click(".panel .button")?;
    let count = |texts: &[String]| texts.len();
    let all = browser.until("traces", ".traces a", |texts| texts.len() >= 20)?;
    browser.picture("traces-light")?;
    // Behind the status, the least duration.
    browser.type_into(".short + .short input", "300")?;
    let slow = browser.until("fewer", ".traces a", |texts| {
        count(texts) > 0
            && count(texts) < count(&all)
            && browser.address().is_ok_and(|it| it.contains("min=300"))
    })?;
    ensure!(slow.iter().all(|text| text.contains("checkout")), "{slow:?}");
    browser.run("location.hash = '#/traces?errors=true'")?;
    browser.until("errors", ".traces a", |texts| {
        count(texts) > 0 && texts.iter().all(|text| text.contains("error"))
    })?;
    browser.run("location.hash = '#/traces?text=no+such+word'")?;
    browser.until("nothing", ".empty", |texts| texts.join("").contains("No trace fits"))?;
    browser.run("location.hash = '#/traces?min=300&service=stock'")?;
    browser.until("slow ones of the stock", ".traces a", |texts| count(texts) > 0)?;
    browser.click(".traces a")
}

/// Below each other as they call, with bars inside those of their parents.
fn waterfall_is_right(browser: &Browser) -> Result<()> {
    let expected = [
        "curl client",
        "storefront server",
        "storefront client",
        "cart server",
        "cart client",
        "stock server",
        "cart client",
        "payment server",
    ];
    let rows =
        browser.until("the waterfall", ".row .label", |texts| texts.len() == expected.len())?;
    for (row, start) in rows.iter().zip(expected) {
        ensure!(row.starts_with(start), "{start}: {rows:#?}");
    }
    let bars = browser.run(
        "return [...document.querySelectorAll('.row')].map((row) => { \
           const { left, right } = row.querySelector('.track i').getBoundingClientRect(); \
           return [Number(row.ariaLevel ?? row.getAttribute('aria-level')), left, right]; })",
    )?;
    let bars: Vec<(usize, f64, f64)> = serde_json::from_value(bars)?;
    for (index, &(level, left, right)) in bars.iter().enumerate().skip(1) {
        let above = bars.get(..index).and_then(|it| it.iter().rev().find(|it| it.0 + 1 == level));
        let &(_, from, to) =
            above.with_context(|| format!("no parent of row {index}: {bars:?}"))?;
        // A bar is at least two pixels wide.
        ensure!(left >= from - 0.5 && right <= to + 2.5, "row {index} leaves its parent: {bars:?}");
    }
    ensure!(!browser.texts(".track .path")?.is_empty(), "no critical path");
    // The stock, which sleeps, is what the whole waited for.
    let longest = browser.run(
        "const paths = [...document.querySelectorAll('.row .track .path')]; \
         paths.sort((one, other) => other.offsetWidth - one.offsetWidth); \
         return paths[0].closest('.row').querySelector('b').textContent",
    )?;
    ensure!(longest == "stock", "the critical path is longest in {longest}");
    let theme = |name| browser.run(&format!("document.documentElement.dataset.theme = '{name}'"));
    browser.picture("trace-light")?;
    theme("dark")?;
    browser.picture("trace-dark")?;
    theme("light")?;
    browser.click(".bar button")?;
    browser.until("what differs", ".compare tbody tr:first-child td", |texts| {
        texts.first().is_some_and(|step| step.starts_with("stock"))
    })?;
    browser.picture("compare-light")?;
    browser.click(".bar button")?;
    browser.run("document.querySelectorAll('.row')[1].click()")?;
    browser.until("how the parent is known", ".details dd", |texts| {
        texts.join(" ").contains("Both ends of one connection")
    })?;
    browser
        .until("attributes", ".details td", |texts| texts.contains(&"/checkout/{id}".to_owned()))?;
    fits(browser, "details")
}

/// Dragging over the right half of the histogram chooses the slower ones.
fn range_is_brushed(browser: &Browser) -> Result<()> {
    browser.run("location.hash = '#/traces'")?;
    let all = browser.until("all traces", ".traces a", |texts| texts.len() == 24)?;
    browser.drag(".histogram svg", 0.5, 1.0)?;
    browser.until("the slower ones", ".traces a", |texts| {
        !texts.is_empty()
            && texts.len() < all.len()
            && browser.address().is_ok_and(|it| it.contains("min="))
    })?;
    browser.picture("brushed")?;
    browser.click(".histogram button")?;
    browser.until("all again", ".traces a", |texts| texts.len() == all.len()).map(drop)
}

/// A trace that was saved is looked at without the tracer's help.
fn file_is_opened(browser: &Browser, page: &Page) -> Result<()> {
    let found: Value = serde_json::from_str(&page.ask("/ui/traces?limit=1", &[])?)?;
    let id = found["traces"][0]["id"].as_str().context("a trace")?;
    for format in ["otlp", "zipkin"] {
        let file = paths::logs().join(format!("page-shop-{format}.json"));
        fs::write(&file, page.ask(&format!("/ui/trace/{id}/{format}"), &[])?)?;
        browser.run("location.hash = '#/traces'")?;
        browser.run("location.hash = '#/file'")?;
        browser.until("the view", "main h1", |texts| !texts.is_empty())?;
        browser.type_into("input[type=file]", file.to_str().context("a path")?)?;
        let rows = browser.until("its waterfall", ".row", |texts| texts.len() == 8)?;
        // Zipkin's format has names in lower case.
        let front = |row: &String| row.to_lowercase().contains("get /checkout/{id}");
        ensure!(rows.iter().any(front), "{rows:?}");
    }
    browser.picture("file")
}

/// Nothing makes the page wider than its window.
fn fits(browser: &Browser, view: &str) -> Result<()> {
    let wide = browser.run("return document.documentElement.scrollWidth - innerWidth")?;
    ensure!(wide.as_i64().is_some_and(|wide| wide <= 0), "{view} is {wide} pixels too wide");
    Ok(())
}
