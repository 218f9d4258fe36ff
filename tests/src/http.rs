//! The few HTTP requests that the tests make themselves, all to backends on this machine.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

/// Gets a JSON document.
///
/// # Errors
/// On no answer within 10 s, a status other than 2xx, or another shape than `T`.
pub fn get<T: DeserializeOwned>(url: &str) -> Result<T> {
    let mut answer = agent().get(url).call().with_context(|| format!("GET {url}"))?;
    let status = answer.status();
    let body = answer.body_mut().read_to_string().with_context(|| format!("GET {url}"))?;
    ensure!(status.is_success(), "GET {url}: {status}: {body}");
    serde_json::from_str(&body).with_context(|| format!("GET {url}: unexpected body"))
}

/// Posts a JSON document and ignores the answer's body.
///
/// # Errors
/// On no answer within 10 s or a status other than 2xx.
pub fn post(url: &str, body: &serde_json::Value) -> Result<()> {
    let mut answer = agent().post(url).send_json(body).with_context(|| format!("POST {url}"))?;
    let status = answer.status();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    ensure!(status.is_success(), "POST {url}: {status}: {text}");
    Ok(())
}

/// Gets something and ignores what it is.
///
/// # Errors
/// On no answer within 10 s or a status other than 2xx.
pub fn touch(url: &str) -> Result<()> {
    let mut answer = agent().get(url).call().with_context(|| format!("GET {url}"))?;
    let status = answer.status();
    answer.body_mut().read_to_vec().with_context(|| format!("GET {url}"))?;
    ensure!(status.is_success(), "GET {url}: {status}");
    Ok(())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}
