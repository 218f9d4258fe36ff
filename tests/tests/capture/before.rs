//! Connections that are older than the tracer, or that begin with a load balancer's prefix.

use anyhow::{Result, ensure};

use crate::expect::{self, Exchange};
use crate::run::{Seen, traced, traced_late};

fn again() -> Vec<Exchange> {
    let one = |n| Exchange::new("GET", format!("/again?n={n}"), 200).sizes(0, n);
    (1..4).map(one).collect()
}

fn late(case: &str) -> Result<Seen> {
    traced_late(&format!("before-{case}"), &[case])
}

#[test]
fn idle_since_it_was_opened() -> Result<()> {
    let seen = late("idle")?;
    expect::exactly(&seen.spans, &again())?;
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

#[test]
fn idle_after_some_exchanges() -> Result<()> {
    let seen = late("used")?;
    expect::exactly(&seen.spans, &again())?;
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}

/// What was under way is not seen, but what follows on the same connection is.
#[test]
fn in_the_middle_of_a_body() -> Result<()> {
    expect::exactly(&late("body")?.spans, &again())
}

#[test]
fn behind_a_proxy_prefix() -> Result<()> {
    let seen = traced("before-proxy", "before", "127.0.0.1", &["proxy_v1", "proxy_v2"])?;
    let mut wanted = vec![];
    for path in ["/proxy-v1", "/proxy-v2"] {
        wanted.push(Exchange::new("POST", path, 200).sizes(5, 5));
        wanted.push(Exchange::new("GET", format!("{path}-next"), 200).sizes(0, 1));
    }
    expect::exactly(&seen.spans, &wanted)?;
    ensure!(seen.summary.ends_with("lost: nothing"), "{}", seen.summary);
    Ok(())
}
