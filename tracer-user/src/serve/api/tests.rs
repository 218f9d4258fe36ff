//! The page's JSON, for traces that are known.

use std::sync::Arc;

use axum::Router;
use serde_json::{Value, json};

use super::router;
use crate::serve::testing::{ask, sources, span};
use crate::serve::{Intake as _, Recent, Sources};
use crate::stats::Tally;

fn service() -> (Router, Sources) {
    let recent = Arc::new(Recent::default());
    recent.put(&[
        span(1, 1, None, "front", "GET /", 100, 30, 200),
        span(1, 2, Some(1), "cart", "GET /cart/{id}", 105, 20, 500),
        span(2, 3, Some(9), "front", "POST /buy", 150, 3, 200),
    ]);
    let sources = sources(&recent);
    (router(&sources), sources)
}

async fn get(router: &Router, path: &str) -> Value {
    let (status, body) = ask(router, path).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn names_are_those_of_held_traces() {
    let (router, _) = service();
    let names = get(&router, "/ui/names").await;
    assert_eq!(names, json!({ "services": ["cart", "front"], "names": [] }));
    let names = get(&router, "/ui/names?service=front").await;
    assert_eq!(names["names"], json!(["GET /", "POST /buy"]));
}

#[tokio::test]
async fn a_search_tells_traces_in_short() {
    let (router, _) = service();
    let all = get(&router, "/ui/traces").await;
    assert_eq!(all["complete"], true);
    let first = &all["traces"][1];
    let id = format!("{:032x}", 1);
    let expected = json!({
        "id": id, "service": "front", "name": "GET /", "root": true, "start": 100.0,
        "duration": 30.0, "spans": 2, "errors": 1, "services": [["cart", 1], ["front", 1]],
    });
    assert_eq!(*first, expected);
    assert_eq!(all["traces"][0]["root"], false, "its parent is elsewhere");
    for (query, count) in [
        ("errors=true", 1),
        ("service=cart&name=GET%20%2Fcart%2F%7Bid%7D", 1),
        ("min=10.5", 1),
        ("max=10", 1),
        ("min=-5&max=1e300", 2),
        ("text=+buy+", 1),
        ("from=140", 1),
        ("limit=1", 1),
        ("status=500", 1),
        ("status=+&service=front", 2),
        ("status=404", 0),
        ("limit=0", 1),
        ("service=", 2),
    ] {
        let found = get(&router, &format!("/ui/traces?{query}")).await;
        assert_eq!(found["traces"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(ask(&router, "/ui/traces?min=soon").await.0, 400);
}

#[tokio::test]
async fn a_trace_has_times_from_its_beginning() {
    let (router, _) = service();
    for id in ["1".to_owned(), format!("{:032x}", 1)] {
        let trace = get(&router, &format!("/ui/trace/{id}")).await;
        assert_eq!((&trace["id"], &trace["start"]), (&json!(format!("{:032x}", 1)), &json!(100.0)));
        let child = &trace["spans"][1];
        assert_eq!((&child["start"], &child["duration"]), (&json!(5_000_000), &json!(20_000_000)));
        assert_eq!((&child["error"], &child["parent"]), (&json!(true), &trace["spans"][0]["id"]));
        assert_eq!(child["attributes"], json!([["http.response.status_code", 500]]));
    }
    for id in ["3", "0", "x", "+1", "%2e%2e", &"1".repeat(33)] {
        assert_eq!(ask(&router, &format!("/ui/trace/{id}")).await.0, 404, "{id}");
    }
}

#[tokio::test]
async fn a_trace_can_be_taken_elsewhere() {
    let (router, _) = service();
    let otlp = get(&router, "/ui/trace/1/otlp").await;
    assert_eq!(otlp["resourceSpans"].as_array().unwrap().len(), 2, "one a process");
    let zipkin = get(&router, "/ui/trace/1/zipkin").await;
    assert_eq!(zipkin[1]["parentId"], zipkin[0]["id"]);
}

#[tokio::test]
async fn the_state_tells_losses_and_what_is_held() {
    let (router, sources) = service();
    assert_eq!(get(&router, "/ui/state").await["live"], false);
    let losses = [("ring_full", 7)].into();
    sources.vitals.tell(Tally { spans: 3, losses, ..Tally::default() });
    let state = get(&router, "/ui/state").await;
    assert_eq!((&state["live"], &state["spans"]), (&json!(true), &json!(3)));
    assert_eq!(state["losses"], json!({ "ring_full": 7 }));
    assert_eq!((&state["held"]["spans"], &state["held"]["oldest"]), (&json!(3), &json!(100)));
}

#[tokio::test]
async fn the_map_shows_a_window() {
    let (router, sources) = service();
    sources.metrics.record(&[span(1, 1, None, "front", "GET /", 100, 30, 200)]);
    let map = get(&router, "/ui/map?seconds=30").await;
    assert_eq!(
        (&map["nodes"][0]["name"], &map["nodes"][0]["requests"]),
        (&json!("front"), &json!(1))
    );
    assert_eq!(
        (&map["calls"][0]["from"], &map["calls"][0]["to"]),
        (&json!("user"), &json!("front"))
    );
    assert_eq!(ask(&router, "/ui/map?seconds=-1").await.0, 400);
}
