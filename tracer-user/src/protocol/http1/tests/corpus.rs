//! llhttp's own test messages (`http1_llhttp.jsonl`, outside the repository: the directory is
//! `TRACER_CORPORA`, or `../shared/data/corpora` beside the workspace): what llhttp accepts is told
//! the same, and what it refuses is not told.

use super::Conversation;
use crate::protocol::http1::{Direction, Event};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
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

/// `method target` or status, size of the body, and whether its end was seen; for each head.
type Told = Vec<(String, u64, bool)>;

fn wanted(row: &Value) -> Told {
    let messages = row["messages"].as_array().unwrap().iter();
    let heads = messages.filter(|message| message["headers_complete"] == true);
    let name = |message: &Value| match message["status"].as_u64() {
        Some(status) => status.to_string(),
        None => format!(
            "{} {}",
            message["method"].as_str().unwrap(),
            message["target"].as_str().unwrap()
        ),
    };
    heads.map(|m| (name(m), m["body_len"].as_u64().unwrap(), m["complete"] == true)).collect()
}

fn told(row: &Value) -> (Told, Vec<String>) {
    let mut c = Conversation::new();
    let bytes = BASE64_STANDARD.decode(row["bytes_b64"].as_str().unwrap()).unwrap();
    let mut told = Told::new();
    if row["kind"] == "request" {
        c.request(&bytes).close(Direction::Request);
    } else {
        let method = if row["skip_body"] == true { "HEAD" } else { "GET" };
        let request = format!("{method} / HTTP/1.1\r\n\r\n");
        (0..5).for_each(|_| {
            c.request(request.as_bytes());
        });
        c.events.clear();
        c.response(&bytes).close(Direction::Response);
    }
    for event in &c.events {
        match event {
            Event::RequestHead(head, _) => {
                told.push((format!("{} {}", head.method.as_str(), head.target), 0, false));
            }
            Event::ResponseHead(head, _) => told.push((head.status.to_string(), 0, false)),
            Event::RequestEnded { body, complete, .. }
            | Event::ResponseEnded { body, complete, .. } => {
                if let Some(last) = told.last_mut() {
                    (last.1, last.2) = (*body, *complete);
                }
            }
            _ => {}
        }
    }
    (told, c.said())
}

#[test]
fn what_llhttp_makes_of_messages() {
    for row in rows() {
        let (got, said) = told(&row);
        let want = wanted(&row);
        if got != want {
            println!(
                "{} [{}] ok={} strict={} {}\n  want {want:?}\n  got  {got:?}\n  {said:?}\n {:?}",
                row["name"],
                row["mode"],
                row["ok"],
                row["strict_ok"],
                row["error"]["reason"],
                String::from_utf8_lossy(
                    &BASE64_STANDARD.decode(row["bytes_b64"].as_str().unwrap()).unwrap()
                )
            );
        }
    }
}
