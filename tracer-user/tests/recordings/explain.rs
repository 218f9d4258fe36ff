//! `tracer explain` says what `tracer replay` does, and why.

use std::process::{Command, Output};

use serde_json::Value;

use crate::replayed::{file, replay};

fn explain(name: &str, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracer"));
    command.arg("explain").arg(file(name)).args(flags).output().unwrap()
}

fn text(name: &str, flags: &[&str]) -> String {
    let Output { status, stdout, stderr } = explain(name, flags);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn json(name: &str, flags: &[&str]) -> Value {
    let all = [&["--json", "--limit", "1000"], flags].concat();
    serde_json::from_str(&text(name, &all)).unwrap()
}

/// Every span of an explained recording.
fn spans(explained: &Value) -> Vec<&Value> {
    let traces = explained["traces"].as_array().unwrap();
    traces.iter().flat_map(|trace| trace["spans"].as_array().unwrap()).collect()
}

#[test]
fn its_spans_are_those_of_the_replay() {
    for name in ["nginx-flask", "go-fanout", "py-zipkin"] {
        let explained = json(name, &[]);
        let of = |id: Option<String>| id.map_or(Value::Null, Value::String);
        let mut told: Vec<_> = spans(&explained)
            .iter()
            .map(|span| (span["span_id"].to_string(), span["parent_id"].to_string()))
            .collect();
        let mut want: Vec<_> = replay(name)
            .0
            .iter()
            .map(|span| {
                let parent = span.parent.map(|id| id.to_string());
                (of(Some(span.span_id.to_string())).to_string(), of(parent).to_string())
            })
            .collect();
        told.sort();
        want.sort();
        assert_eq!(told, want, "{name}");
    }
}

/// Below each call stands the witness that decided, and it named the parent.
#[test]
fn who_decided_named_the_parent() {
    let explained = json("nginx-flask", &[]);
    let mut joined = 0;
    for span in spans(&explained) {
        if span["kind"] != "CLIENT" || span["parent_id"].is_null() {
            continue;
        }
        joined += 1;
        let witnesses = span["hearing"]["witnesses"].as_array().unwrap();
        let decisive: Vec<_> = witnesses.iter().filter(|it| it["verdict"] == "decides").collect();
        let [decisive] = decisive[..] else { panic!("{span:#}") };
        assert_eq!(
            (&decisive["method"], &decisive["request"]),
            (&span["method"], &span["parent_id"])
        );
        let open = span["hearing"]["open"].as_array().unwrap();
        assert!(open.contains(&span["parent_id"]), "{span:#}");
        for silent in witnesses.iter().filter(|it| it["says"] == "nothing") {
            assert!(!silent["why"].as_str().unwrap().is_empty(), "{span:#}");
        }
    }
    assert_eq!(joined, 80);
    let by = |method: &str| {
        let all = explained["summary"]["joined"].as_array().unwrap();
        all.iter().find(|it| it["method"] == method).map(|it| it["count"].as_u64().unwrap())
    };
    let methods = ["thread", "turn", "forward"];
    assert_eq!(methods.into_iter().filter_map(by).sum::<u64>(), 80);
    assert_eq!(explained["summary"]["paired"], 120);
    // Every call that was made for a request was heard of by every witness, and decided by one.
    let witnesses = explained["summary"]["witnesses"].as_array().unwrap();
    let count = |it: &Value, outcome: &str| it[outcome].as_u64().unwrap();
    assert_eq!(witnesses.iter().map(|it| count(it, "decided")).sum::<u64>(), 80);
    for it in witnesses {
        let outcomes = it.as_object().unwrap().values().filter_map(Value::as_u64);
        assert_eq!(outcomes.sum::<u64>(), 80, "{it}");
    }
}

#[test]
fn what_is_asked_for_counts_in_the_explanation() {
    let explained = json("go-fanout", &["--min-confidence", "0.99"]);
    assert_eq!(explained["summary"]["joined"], Value::Array(vec![]));
    let weak: Vec<_> =
        spans(&explained).into_iter().filter(|span| span["edge"] == "too_weak").collect();
    assert_eq!(weak.len(), 60);
    for span in weak {
        let witnesses = span["hearing"]["witnesses"].as_array().unwrap();
        assert!(witnesses.iter().any(|it| it["verdict"] == "too_weak"), "{span:#}");
    }
    let text = text("go-fanout", &["--min-confidence", "0.99", "--limit", "1000"]);
    assert!(text.contains("60 the witnesses were not sure enough"), "{text}");
    assert!(text.contains("not sure enough: 0.99 is asked for"), "{text}");
}

#[test]
fn a_trace_is_asked_for_by_the_beginning_of_its_id() {
    let all = text("gunicorn", &["--limit", "2"]);
    let ids: Vec<_> = all.lines().filter_map(|line| line.strip_prefix("trace ")).collect();
    assert_eq!(ids.len(), 2);
    assert!(all.contains("48 traces") && all.contains("46 more traces"), "{all}");
    let id = ids[1].get(..12).unwrap();
    let one = text("gunicorn", &[&id.to_uppercase()]);
    assert_eq!(one.lines().filter(|line| line.starts_with("trace ")).count(), 1);
    assert!(one.contains(ids[1]) && one.contains("ledger -> GET /orders/"), "{one}");
    assert!(one.contains("thread       names this request") && one.contains("decides"), "{one}");
    let Output { status, stderr, .. } = explain("gunicorn", &["00ff00ff00ff"]);
    let error = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && error.contains("begins with 00ff00ff00ff"), "{error}");
    let Output { status, stderr, .. } = explain("gunicorn", &["no-id"]);
    let error = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && error.contains("not the beginning of a trace id"), "{error}");
}
