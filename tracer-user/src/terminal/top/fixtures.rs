//! Answers of a tracer.

use serde_json::{from_value, json};

use crate::terminal::wire::{Map, Traces};

pub(super) fn map(rates: [f64; 2]) -> Map {
    let red = |rate: f64, errors: u64| json!({ "requests": 100, "errors": errors, "rate": rate, "p50": 1.5, "p95": 20.0, "p99": 2500.0 });
    let merged = |mut value: serde_json::Value, red: serde_json::Value| {
        value.as_object_mut().unwrap().extend(red.as_object().unwrap().clone());
        value
    };
    let route = |name: &str, rate| merged(json!({ "name": name }), red(rate, 0));
    let node = |name: &str, rate, routes: Vec<serde_json::Value>| {
        merged(json!({ "name": name, "traced": true, "routes": routes }), red(rate, 5))
    };
    let nodes = [
        node("cart", rates[0], vec![route("GET /cart", 1.0), route("POST /cart/{id}", 2.0)]),
        node("shop", rates[1], vec![route("GET /\u{1b}[2J", 3.0)]),
    ];
    from_value(
        json!({ "seconds": 60.0, "nodes": nodes, "calls": [{ "from": "shop", "to": "cart" }] }),
    )
    .unwrap()
}

pub(super) fn traces() -> Traces {
    from_value(
        json!({ "traces": [{ "id": "00ab", "service": "shop", "name": "GET /", "start": 1.8e12,
        "duration": 12.5, "spans": 3, "errors": 1 }] }),
    )
    .unwrap()
}
