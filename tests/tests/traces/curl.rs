//! Requests made by curl, which is itself one of the programs under trace.

use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use tests::process::run;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<String>,
}

/// When the requests were made, in microseconds since the Unix epoch, and how long curl waited
/// for the slowest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) slowest: u64,
}

/// Makes all requests with one curl, `at_once` of them at a time, over kept-alive connections.
///
/// # Errors
/// If one of them is not answered with its status.
pub(crate) fn send(requests: &[Request], at_once: usize) -> Result<Window> {
    let mut curl = Command::new("curl");
    // Before everything else: no settings of the user's own.
    curl.args(["--disable", "--no-progress-meter"]);
    if at_once > 1 {
        curl.args(["--parallel", "--parallel-immediate", "--parallel-max", &at_once.to_string()]);
    }
    for (at, request) in requests.iter().enumerate() {
        if at > 0 {
            curl.arg("--next");
        }
        curl.args(["--noproxy", "*", "--max-time", "60", "--output", "/dev/null"]);
        curl.args(["--write-out", "%{http_code} %{time_total} %{url}\\n"]);
        curl.args(request.headers.iter().flat_map(|header| ["--header", header]));
        curl.arg(&request.url);
    }
    let start = now()?;
    let report = run("curl", &mut curl)?;
    let end = now()?;
    ensure!(report.lines().count() == requests.len(), "curl reports:\n{report}");
    let mut slowest = 0.0_f64;
    for line in report.lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().with_context(|| format!("curl reports: {line}"));
        let (status, seconds, url) = (word()?, word()?.parse::<f64>()?, word()?);
        ensure!(
            requests
                .iter()
                .any(|request| request.url == url && request.status.to_string() == status),
            "{url} was answered with {status}"
        );
        slowest = slowest.max(seconds);
    }
    Ok(Window { start, end, slowest: (slowest * 1e6) as u64 })
}

/// Microseconds since the Unix epoch.
pub(crate) fn now() -> Result<u64> {
    let since: Duration = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(u64::try_from(since.as_micros())?)
}
