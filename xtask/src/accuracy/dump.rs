//! Reads what the suite leaves of a run with `--dump`: the spans that it received and what really
//! happened.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use e2e::accuracy::{Calls, Edge, Span, hop, judge, requests};
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

/// The edges of a run whose services had these ports, and the number of user requests that are not
/// scored, because one of their calls failed.
pub(super) fn edges(directory: &Path, ports: &Range<u16>) -> Result<(Vec<Edge>, usize)> {
    let read = |name: &str| {
        let file = directory.join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let truth: Truth = serde_json::from_str(&read("truth.json")?).context("truth.json")?;
    let spans = read("spans.jsonl")?;
    let spans: Vec<Span> = spans
        .lines()
        .map(|line| Ok(serde_json::from_str::<Line>(line).context("spans.jsonl")?.span(ports)))
        .filter_map(Result::transpose)
        .collect::<Result<_>>()?;
    let all = truth.roots.len();
    let good: Vec<Vec<String>> =
        truth.roots.iter().filter_map(|(id, root)| root.whole(id, &truth.calls)).collect();
    let bad = all - good.len();
    Ok((judge(&spans, &good.concat()), bad))
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
        // Another suite that runs on this host has the same ids.
        let port = match side {
            Side::Server => self.text("server.port"),
            Side::Client => self.text("network.peer.port").or_else(|| self.text("server.port")),
        };
        let ours = port.and_then(|port| port.parse().ok()).is_some_and(|it| ports.contains(&it));
        let id = hop(&self.path).map(|id| if ours { id.to_owned() } else { format!("else-{id}") });
        let confidence = self.text("tracer.parent.confidence").and_then(|it| it.parse().ok());
        let decided = self.text("tracer.parent.method").zip(confidence);
        Some(Span {
            trace: self.trace_id,
            id: self.span_id,
            parent: self.parent_id,
            side,
            hop: id,
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
    use e2e::accuracy::Verdict;

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
            let (edges, bad) = edges(&directory, &(80..82)).unwrap();
            assert_eq!((edges.len(), bad), (2, 1));
            (edges[0].verdict, edges[1].verdict)
        };
        assert_eq!(verdicts(80), (Verdict::Right, Verdict::Right));
        assert_eq!(verdicts(99), (Verdict::Missing, Verdict::WrongTrace), "another's service");
        fs::remove_dir_all(&directory).unwrap();
    }
}
