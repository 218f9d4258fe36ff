//! llhttp's own test messages (`llhttp/README.md`): what llhttp accepts is told the same, and what it
//! refuses is not told. Every exception is named here, with the reason for it.

use super::Conversation;
use crate::protocol::http1::parse::fields;
use crate::protocol::http1::{Direction, Event};
use crate::protocol::redact;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;

/// The corpus, a row a message.
fn rows() -> Vec<(Value, Vec<u8>)> {
    let rows = include_str!("llhttp/messages.jsonl").lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let bytes = BASE64_STANDARD.decode(text(&row["bytes_b64"])).unwrap();
        (row, bytes)
    });
    rows.collect()
}

/// What llhttp refuses in strict mode and a bystander lets pass, because some server does not refuse
/// it: part of the reason, and the flag with which llhttp lets it pass itself.
const TOLERATED: [(&str, &str); 11] = [
    ("Data after `Connection: close`", "lenient-data-after-close"),
    ("Missing expected CR after", "lenient-optional-cr-before-lf"),
    ("Expected CRLF after version", "lenient-optional-cr-before-lf"),
    ("Invalid header value char", "lenient-headers"),
    ("Unexpected whitespace after header value", "lenient-headers"),
    ("Invalid header field char", "lenient-headers"),
    ("can't be present with", "lenient-chunked-length"),
    // White space after a chunk's size. Extensions are not looked at: RFC 9112 section 7.1.1 has
    // them ignored.
    ("Invalid character in chunk", "lenient-spaces-after-chunk-size"),
    // llhttp has a list of methods; any token is one (RFC 9110 section 9.1).
    ("Invalid method for HTTP/x.x request", "none"),
    ("Expected space after method", "none"),
    // Bytes beyond ASCII in a target: most servers take them.
    ("Invalid char in url path", "none"),
];

/// Accepted in strict mode, but not HTTP/1.0 or 1.1: nothing of it may be told.
const OTHER_PROTOCOLS: [&str; 4] = ["RTSP/", " ICE/", "ICE/1.1 200", "HTTP/0.9"];

/// What llhttp accepts and is not compared: why.
fn left_out(row: &Value, bytes: &[u8]) -> Option<&'static str> {
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let mode = text(&row["mode"]);
    match () {
        // The same bytes mean something else without that.
        () if row["skip_body"] == true => Some("the test said that no body follows"),
        () if has("PRI * ") => {
            Some("HTTP/2; the kernel side hands on nothing of such a connection")
        }
        () if bytes == b"GET /\r\n\r\n" => Some("HTTP/0.9"),
        () if row["strict_ok"] == true => None,
        // From here on only what strict parsing refuses.
        () if has("HTTP/5.6") => Some("no such version"),
        () if mode == "lenient-optional-lf-after-cr" => Some("carriage returns as line ends"),
        () if has(":\rTransfer-Encoding") => Some("carriage returns as line ends"),
        () if mode == "lenient-transfer-encoding" => {
            Some("a request that ends with the connection")
        }
        () if mode == "lenient-chunked-length" => Some("`identity` means no coding here"),
        () => None,
    }
}

fn other_protocol(bytes: &[u8]) -> bool {
    let has = |text: &&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    OTHER_PROTOCOLS.iter().any(has)
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

/// Name and value of every field of these messages, as llhttp has them and as they are read.
fn same_fields(row: &Value, bytes: &[u8]) -> Result<(), String> {
    for message in row["messages"].as_array().unwrap() {
        let place = |key: &str| message[key].as_u64().and_then(|at| usize::try_from(at).ok());
        let (Some(start), Some(end)) = (place("start"), place("headers_end")) else { continue };
        let pair = |field: &Value| (text(&field[0]).to_owned(), text(&field[1]).trim().to_owned());
        let want: Vec<_> = message["headers"].as_array().unwrap().iter().map(pair).collect();
        let head = bytes[start..end].trim_ascii_start();
        let read = fields(head, row["kind"] == "request").unwrap_or_default();
        // The corpus has a character a byte.
        let value = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        let got: Vec<_> = read.iter().map(|(name, bytes)| (name.clone(), value(bytes))).collect();
        if want != got {
            return Err(format!("fields\n want {want:?}\n  got {got:?}"));
        }
    }
    Ok(())
}

/// Messages, their methods, targets, statuses, bodies and ends.
fn same_messages(row: &Value, bytes: &[u8]) -> Result<(), String> {
    let (want, got) = (wanted(row), told(row, bytes));
    // Bodies that end with the connection are never complete for llhttp; where llhttp stops at
    // an upgrade, what follows is not compared.
    let upgrade = row["upgrade"] == true;
    let same =
        want.iter().zip(&got).all(|(w, g)| w.0 == g.0 && (w.2 <= g.2) && (w.1 == g.1 || upgrade));
    let number = want.len() == got.len() || upgrade && got.len() >= want.len();
    if same && number { Ok(()) } else { Err(format!("\n want {want:?}\n  got {got:?}")) }
}

#[test]
fn what_llhttp_accepts_is_told_the_same() {
    let (mut compared, mut strict, mut others, mut wrong) = (0, 0, 0, Vec::new());
    let mut left = BTreeSet::new();
    for (row, bytes) in rows().iter().filter(|(row, _)| row["ok"] == true) {
        let result = if other_protocol(bytes) {
            others += 1;
            let got = told(row, bytes);
            if got.is_empty() { Ok(()) } else { Err(format!("told: {got:?}")) }
        } else if let Some(why) = left_out(row, bytes) {
            left.insert((row["strict_ok"] == true, why));
            continue;
        } else {
            compared += 1;
            let by_strict = row["mode"] == "strict" || row["strict_ok"] == true;
            strict += usize::from(by_strict);
            let fields = if by_strict { same_fields(row, bytes) } else { Ok(()) };
            same_messages(row, bytes).and(fields)
        };
        if let Err(why) = result {
            wrong.push(format!("{} {why}\n {}", row["name"], bytes.escape_ascii()));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    // None of them may come to be without being noticed.
    assert_eq!((compared, strict, others), (146, 125, 6));
    assert_eq!(left.len(), 7, "{left:?}");
}

#[test]
fn what_llhttp_refuses_is_not_told() {
    let (mut wrong, mut tolerated) = (Vec::new(), BTreeSet::new());
    for (row, bytes) in rows().iter().filter(|(row, _)| row["ok"] == false) {
        let (want, got) = (wanted(row), told(row, bytes));
        let complete = |messages: &Told| messages.iter().filter(|message| message.2).count();
        if complete(&got) <= complete(&want) {
            continue;
        }
        let reason = text(&row["reason"]);
        match TOLERATED.iter().find(|(tolerated, _)| reason.contains(tolerated)) {
            Some((reason, _)) => {
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
    let unused: Vec<_> = TOLERATED.iter().filter(|(it, _)| !tolerated.contains(it)).collect();
    assert!(unused.is_empty(), "not needed: {unused:?}");
}
