use serde_json::{Value as Json, json};

use super::router;
use crate::serve::testing::{ask, sources, two_traces};
use crate::trace::{Event, Value};

async fn get(path: &str) -> (u16, Json) {
    let recent = two_traces("front", |called| {
        let attributes = vec![("list".into(), Value::Texts(vec!["a".into()]))];
        called.events.push(Event { time: 6_000_000, name: "retry".into(), attributes });
    });
    let (status, body) = ask(&router(&sources(&recent)), path).await;
    (status, serde_json::from_slice(&body).unwrap())
}

async fn data(path: &str) -> Json {
    let (status, json) = get(path).await;
    assert_eq!(status, 200, "{path}: {json}");
    json["data"].clone()
}

#[tokio::test]
async fn names() {
    assert_eq!(data("/api/services").await, json!(["cart", "front"]));
    assert_eq!(data("/api/services/nobody/operations").await, Json::Null);
    assert_eq!(data("/api/services/front/operations").await, json!(["GET /", "POST /buy"]));
    let operation = json!([{"name": "GET /cart/{id}", "spanKind": "server"}]);
    assert_eq!(data("/api/operations?service=cart").await, operation);
    assert_eq!(data("/api/operations?service=cart&spanKind=client").await, json!([]));
    assert_eq!(get("/api/operations").await.0, 400);
    let link = json!([{"parent": "front", "child": "cart", "callCount": 1}]);
    assert_eq!(data("/api/dependencies?endTs=1000&lookback=1000").await, link);
}

#[tokio::test]
async fn searches() {
    let ids = async |query: &str| {
        let found = data(&format!("/api/traces?{query}")).await;
        let id = |trace: &Json| trace["traceID"].as_str().unwrap()[31..].to_owned();
        found.as_array().unwrap().iter().map(id).collect::<String>()
    };
    assert_eq!(ids("service=front").await, "21");
    assert_eq!(ids("service=front&limit=1&lookback=1h").await, "2");
    assert_eq!(ids("service=front&operation=GET%20/").await, "1");
    assert_eq!(ids("service=front&minDuration=10ms").await, "1");
    assert_eq!(ids("service=front&maxDuration=10ms").await, "2");
    assert_eq!(ids("service=front&start=2000&end=60000").await, "2");
    assert_eq!(ids("service=cart&tags=%7B%22error%22%3A%22true%22%7D").await, "1");
    assert_eq!(ids("service=cart&tag=http.response.status_code:500").await, "1");
    assert_eq!(ids("service=front&tag=http.response.status_code:500").await, "");
    assert_eq!(ids("traceID=2&traceID=1&traceID=9").await, "21");
    for wrong in ["", "service=x&limit=y", "service=x&tags=1", "service=x&start=now", "traceID=z"] {
        let (status, json) = get(&format!("/api/traces?{wrong}")).await;
        assert_eq!((status, &json["errors"][0]["code"]), (400, &json!(400)), "{wrong}");
    }
}

#[tokio::test]
async fn a_trace_is_as_jaeger_tells_it() {
    let trace = data("/api/traces/1").await[0].clone();
    let id = "00000000000000000000000000000001";
    assert_eq!(trace["traceID"], id);
    assert_eq!(trace["processes"]["p2"], json!({"serviceName": "cart", "tags": []}));
    let tag = |key: &str, of: &str, value: Json| json!({"key": key, "type": of, "value": value});
    let want = json!({
        "traceID": id,
        "spanID": "0000000000000002",
        "operationName": "GET /cart/{id}",
        "references": [{"refType": "CHILD_OF", "traceID": id, "spanID": "0000000000000001"}],
        "startTime": 5000,
        "duration": 20000,
        "tags": [
            tag("http.response.status_code", "int64", 500.into()),
            tag("span.kind", "string", "server".into()),
            tag("otel.status_code", "string", "ERROR".into()),
            tag("error", "bool", true.into()),
        ],
        "logs": [{"timestamp": 6000, "fields": [
            tag("event", "string", "retry".into()),
            tag("list", "string", "[\"a\"]".into()),
        ]}],
        "processID": "p2",
        "warnings": null,
    });
    assert_eq!(trace["spans"][1], want);
    let (status, missing) = get("/api/traces/77").await;
    assert_eq!((status, &missing["errors"][0]["msg"]), (404, &json!("trace not found")));
}
