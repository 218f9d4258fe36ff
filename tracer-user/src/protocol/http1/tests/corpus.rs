//! llhttp's own test messages (`http1_llhttp.jsonl`, outside the repository: the directory is
//! `TRACER_CORPORA`, or `../shared/data/corpora` beside the workspace): what llhttp accepts is told
//! the same, and what it refuses is not told.

use super::Conversation;
use crate::protocol::http1::{Direction, Event};
use crate::protocol::redact;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Rows of the corpus, or none (told on standard error) where it is not there.
fn rows() -> Vec<Value> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("TRACER_CORPORA")
        .map_or_else(|| workspace.join("shared/data/corpora"), PathBuf::from);
    let file = folder.join("http1_llhttp.jsonl");
    match std::fs::read_to_string(&file) {
        Ok(text) => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        Err(error) => {
            eprintln!("SKIPPED: {}: {error}; set TRACER_CORPORA", file.display());
            Vec::new()
        }
    }
}

/// What llhttp refuses and a bystander lets pass: some server may not refuse it.
const TOLERATED: [&str; 11] = [
    "Data after `Connection: close`",
    "Missing expected CR after",
    "Expected CRLF after version",
    "Invalid header value char",
    "Unexpected whitespace after header value",
    // Any token is a method.
    "Invalid method for HTTP/x.x request",
    "Expected space after method",
    "Invalid char in url path",
    // White space after a chunk's size, and extensions that are not looked at.
    "Invalid character in chunk",
    "can't be present with",
    // White space before the colon.
    "Invalid header field char",
];

/// What llhttp accepts and is left out here.
fn is_left_out(row: &Value, bytes: &[u8]) -> bool {
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    // Other protocols and versions.
    ["RTSP/", "ICE/", "HTTP/0.9", "HTTP/5.6", "PRI * "].into_iter().any(has)
        || bytes == b"GET /\r\n\r\n"
        // Carriage returns as line ends, and requests that end with the connection.
        || ["lenient-optional-lf-after-cr", "lenient-transfer-encoding"].contains(&text(&row["mode"]))
        || has(":\rTransfer-Encoding")
        // `Transfer-Encoding: identity` means none here.
        || row["mode"] == "lenient-chunked-length"
        // The callback told llhttp that no body follows.
        || row["skip_body"] == true
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Method and target or status, size of the body, and whether its end was seen; for each head.
type Told = Vec<(String, u64, bool)>;

/// Interim responses and 101's tunnel are not told as messages.
fn wanted(row: &Value) -> Told {
    let heads = row["messages"].as_array().unwrap().iter();
    let name = |message: &Value| match message["status"].as_u64() {
        Some(status) => status.to_string(),
        None => {
            format!("{} {}", text(&message["method"]), redact::target(text(&message["target"])))
        }
    };
    heads
        .filter(|m| m["headers_complete"] == true && !["100", "103"].contains(&&*name(m)))
        .map(|m| (name(m), m["body_len"].as_u64().unwrap(), m["complete"] == true))
        .collect()
}

fn told(row: &Value, bytes: &[u8]) -> Told {
    let mut c = Conversation::new();
    if row["kind"] == "request" {
        c.request(bytes).close(Direction::Request);
    } else {
        for _ in 0..5 {
            c.request(b"GET / HTTP/1.1\r\n\r\n");
        }
        c.events.clear();
        c.response(bytes).close(Direction::Response);
    }
    let (mut told, mut open) = (Told::new(), false);
    for event in &c.events {
        match event {
            Event::RequestHead(head, _) => {
                told.push((format!("{} {}", head.method.as_str(), head.target), 0, false));
                open = true;
            }
            Event::ResponseHead(head, _) => {
                told.push((head.status.to_string(), 0, false));
                open = true;
            }
            Event::RequestEnded { body, complete, .. }
            | Event::ResponseEnded { body, complete, .. } => {
                if let Some(last) = told.last_mut().filter(|_| open) {
                    (last.1, last.2) = (*body, *complete);
                }
                open = false;
            }
            _ => {}
        }
    }
    told
}

#[test]
fn what_llhttp_accepts_is_told_the_same() {
    let (mut compared, mut wrong) = (0, Vec::new());
    let rows = rows();
    for row in rows.iter().filter(|row| row["ok"] == true) {
        let bytes = BASE64_STANDARD.decode(text(&row["bytes_b64"])).unwrap();
        if is_left_out(row, &bytes) {
            continue;
        }
        compared += 1;
        let (want, got) = (wanted(row), told(row, &bytes));
        // Bodies that end with the connection are never complete for llhttp; where llhttp stops at
        // an upgrade, what follows is not compared.
        let same = want
            .iter()
            .zip(&got)
            .all(|(w, g)| w.0 == g.0 && (w.2 <= g.2) && (w.1 == g.1 || row["upgrade"].is_object()));
        if !same || want.len() != got.len() && !row["upgrade"].is_object() {
            wrong.push(format!(
                "{}\n want {want:?}\n  got {got:?}\n {}",
                row["name"],
                bytes.escape_ascii()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows.is_empty() || compared > 130, "{compared}");
}

#[test]
fn what_llhttp_refuses_is_not_told() {
    let (mut wrong, mut tolerated) = (Vec::new(), BTreeSet::new());
    let rows = rows();
    for row in rows.iter().filter(|row| row["ok"] == false) {
        let bytes = BASE64_STANDARD.decode(text(&row["bytes_b64"])).unwrap();
        let (want, got) = (wanted(row), told(row, &bytes));
        let complete = |messages: &Told| messages.iter().filter(|message| message.2).count();
        if complete(&got) <= complete(&want) {
            continue;
        }
        let reason = text(&row["error"]["reason"]);
        match TOLERATED.iter().find(|tolerated| reason.contains(**tolerated)) {
            Some(reason) => {
                tolerated.insert(*reason);
            }
            None => wrong.push(format!(
                "{} ({reason})\n want {want:?}\n  got {got:?}\n {}",
                row["name"],
                bytes.escape_ascii()
            )),
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    let unused: Vec<_> = TOLERATED.iter().filter(|reason| !tolerated.contains(*reason)).collect();
    assert!(rows.is_empty() || unused.is_empty(), "not needed: {unused:?}");
}
