//! Reads what the suite leaves of a run with `--dump`: the spans that it received and what really
//! happened.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use e2e::accuracy::{Calls, Span, hop, requests};
use e2e::export;
use e2e::span::Side;
use serde::Deserialize;
use serde_json::Value;

/// Its truth.json: what the driver and the answers' bodies said. Of each request and call, when it
/// began and ended and its status; 0 is none.
#[derive(Deserialize)]
struct Truth {
    roots: BTreeMap<String, Root>,
    calls: Calls,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Root {
    r: (u64, u64, u16),
    s: BTreeMap<String, Value>,
    c: BTreeMap<String, (u64, u64, u16)>,
}

/// A line of its spans.jsonl.
#[derive(Deserialize)]
struct Line {
    trace_id: String,
    span_id: String,
    parent_id: Option<String>,
    kind: String,
    path: String,
    start: u64,
    attrs: BTreeMap<String, Value>,
}

/// Requests of the user requests of which every call was answered, and the number of the others.
pub(super) fn truth(directory: &Path) -> Result<(Vec<String>, usize)> {
    let truth: Truth =
        serde_json::from_str(&read(directory, "truth.json")?).context("truth.json")?;
    let all = truth.roots.len();
    let good: Vec<Vec<String>> =
        truth.roots.iter().filter_map(|(id, root)| root.whole(id, &truth.calls)).collect();
    let bad = all - good.len();
    Ok((good.concat(), bad))
}

/// The spans that the suite received; those of other services than the ones with these ports belong to
/// nothing that was asked.
pub(super) fn received(directory: &Path, ports: &Range<u16>) -> Result<Vec<Span>> {
    let spans = read(directory, "spans.jsonl")?;
    spans
        .lines()
        .map(|line| Ok(serde_json::from_str::<Line>(line).context("spans.jsonl")?.span(ports)))
        .filter_map(Result::transpose)
        .collect()
}

/// The same of a file that the tracer has written (OTLP JSON lines).
pub(super) fn exported(file: &Path, ports: &Range<u16>) -> Result<Vec<Span>> {
    Ok(export::read(file)?.into_iter().map(|span| of_export(&span, ports)).collect())
}

fn read(directory: &Path, name: &str) -> Result<String> {
    let file = directory.join(name);
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

fn of_export(span: &export::Span, ports: &Range<u16>) -> Span {
    let text = |key: &str| span.get(key).map(str::to_owned);
    Span {
        trace: span.trace.clone(),
        id: span.id.clone(),
        parent: Some(span.parent.clone()).filter(|parent| !parent.is_empty()),
        side: span.side,
        hop: own_hop(&span.target(), span.side, &text, ports),
        start: span.start,
        decided: decided(&text),
    }
}

/// The request's id. Another suite that runs on this host has the same ones, on other ports.
fn own_hop(
    path: &str,
    side: Side,
    text: &dyn Fn(&str) -> Option<String>,
    ports: &Range<u16>,
) -> Option<String> {
    let port = match side {
        Side::Server => text("server.port"),
        Side::Client => text("network.peer.port").or_else(|| text("server.port")),
        Side::Producer | Side::Consumer => None,
    };
    let own = port.and_then(|port| port.parse().ok()).is_some_and(|it| ports.contains(&it));
    hop(path).map(|id| if own { id.to_owned() } else { format!("else-{id}") })
}

fn decided(text: &dyn Fn(&str) -> Option<String>) -> Option<(String, f64)> {
    let confidence = text("tracer.parent.confidence").and_then(|it| it.parse().ok());
    text("tracer.parent.method").zip(confidence)
}

impl Root {
    /// Its requests, if each of them was answered.
    fn whole(&self, id: &str, calls: &Calls) -> Option<Vec<String>> {
        let requests = requests(calls, id).into_iter().map(|(id, _)| id);
        let requests: Vec<String> = requests.collect();
        let answered = self.r.2 != 0 && self.c.values().all(|call| call.2 != 0);
        let known = requests.iter().all(|request| self.s.contains_key(request));
        (answered && known).then_some(requests)
    }
}

impl Line {
    /// `None` for one that is neither a request nor a call.
    fn span(self, ports: &Range<u16>) -> Option<Span> {
        let side = match &*self.kind {
            "SERVER" => Side::Server,
            "CLIENT" => Side::Client,
            _ => return None,
        };
        let text = |key: &str| self.text(key);
        let hop = own_hop(&self.path, side, &text, ports);
        let decided = decided(&text);
        Some(Span {
            trace: self.trace_id,
            id: self.span_id,
            parent: self.parent_id,
            side,
            hop,
            start: self.start,
            decided,
        })
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.attrs.get(key)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use e2e::accuracy::{Verdict, judge};

    use super::*;

    const TRUTH: &str = r#"{"calls": {"a": ["b"], "b": []}, "runtime": {}, "roots": {
        "t1": {"R": [1, 2, 200], "S": {"t1": [1, 2, 200], "t1.0": [1, 2, 500]}, "C": {"t1.0": [1, 2, 500]}},
        "t2": {"R": [1, 2, 200], "S": {"t2": [1, 2, 200]}, "C": {"t2.0": [1, 2, 0]}}}}"#;

    fn line(kind: &str, id: &str, parent: &str, port: u16) -> String {
        let path = if id == "a" { "/a/t1" } else { "/b/t1.0" };
        format!(
            r#"{{"trace_id": "1", "span_id": "{kind}{id}", "parent_id": "{parent}", "kind": "{kind}",
            "id": null, "path": "{path}", "start": 5, "end": 6, "attrs": {{"server.port": "{port}",
            "tracer.parent.method": "turn", "tracer.parent.confidence": "0.5"}}}}"#
        )
        .replace('\n', "")
    }

    #[test]
    fn edges_of_a_run() {
        let directory = std::env::temp_dir().join(format!("xtask-dump-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("truth.json"), TRUTH).unwrap();
        let verdicts = |port| {
            let lines = [
                line("SERVER", "a", "", port),
                line("CLIENT", "b", "SERVERa", 81),
                line("SERVER", "b", "CLIENTb", 81),
            ];
            fs::write(directory.join("spans.jsonl"), lines.join("\n")).unwrap();
            let (requests, bad) = truth(&directory).unwrap();
            let edges = judge(&received(&directory, &(80..82)).unwrap(), &requests);
            assert_eq!((edges.len(), bad), (2, 1));
            (edges[0].verdict, edges[1].verdict)
        };
        assert_eq!(verdicts(80), (Verdict::Right, Verdict::Right));
        assert_eq!(verdicts(99), (Verdict::Missing, Verdict::WrongTrace), "another's service");
        fs::remove_dir_all(&directory).unwrap();
    }
}
