//! What a request is authorised by is in nothing that the tracer writes.

use std::fs;

use anyhow::{Result, ensure};
use tests::paths;
use tests::span::Side;

use crate::expect;
use crate::run::traced;

const SECRETS: [&str; 5] =
    ["Zm9vOmJhcg", "session-4f7a", "granted-81c2", "query-5d9e", "pass-77b3"];

#[test]
fn are_masked() -> Result<()> {
    let seen = traced("secrets", "secrets", "127.0.0.1", &["secrets"])?;
    let target = "/account?page=7&token=**********&access_token=***********&sort=up";
    for side in [Side::Client, Side::Server] {
        let span = expect::one(&seen.spans, side, target)?;
        ensure!(span.number("http.response.status_code") == Some(200), "{span:#?}");
    }
    ensure!(seen.spans.len() == 2, "{}", expect::list(&seen.spans));
    let written = fs::read_to_string(paths::logs().join("capture-secrets.jsonl"))?;
    for text in [written, seen.summary] {
        for secret in SECRETS {
            ensure!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    Ok(())
}
