use serde_json::{Value as Json, json};

use super::router;
use crate::serve::testing::{ask, sources, two_traces};

async fn get(path: &str) -> (u16, Json) {
    let recent = two_traces("Front", |called| called.remote.service = Some("Front".into()));
    let (status, body) = ask(&router(&sources(&recent)), path).await;
    (status, serde_json::from_slice(&body).unwrap_or(Json::Null))
}

/// Last digits of the ids of the traces of an answer.
async fn found(path: &str) -> Vec<String> {
    let (status, json) = get(&format!("/api/v2/traces?endTs=1000&{path}")).await;
    assert_eq!(status, 200, "{path}");
    let id = |trace: &Json| trace[0]["traceId"].as_str().unwrap()[30..].to_owned();
    json.as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn names_are_in_lower_case() {
    assert_eq!(get("/api/v2/services").await, (200, json!(["cart", "front"])));
    assert_eq!(get("/zipkin/api/v2/services").await, (200, json!(["cart", "front"])));
    let names = get("/api/v2/spans?serviceName=front").await;
    assert_eq!(names, (200, json!(["get /", "post /buy"])));
    assert_eq!(get("/api/v2/spans").await.0, 400);
    assert_eq!(get("/api/v2/remoteServices?serviceName=cart").await.1, json!(["front"]));
    let key = "http.response.status_code";
    assert_eq!(get("/api/v2/autocompleteKeys").await.1, json!([key]));
    let values = get(&format!("/api/v2/autocompleteValues?key={key}")).await;
    assert_eq!(values.1, json!(["200", "500"]));
}

#[tokio::test]
async fn dependencies_have_errors_where_there_are() {
    let link = json!([{"parent": "front", "child": "cart", "callCount": 1, "errorCount": 1}]);
    assert_eq!(get("/api/v2/dependencies?endTs=1000").await, (200, link));
    assert_eq!(get("/api/v2/dependencies?endTs=1000&lookback=1").await, (200, json!([])));
    assert_eq!(get("/api/v2/dependencies").await.0, 400);
}

#[tokio::test]
async fn every_parameter_of_a_search_counts() {
    assert_eq!(found("").await, ["02", "01"], "the newest first");
    assert_eq!(found("limit=1").await, ["02"]);
    assert_eq!(found("serviceName=cart").await, ["01"]);
    assert_eq!(found("serviceName=FRONT&spanName=all").await, ["02", "01"]);
    assert_eq!(found("spanName=post%20/buy").await, ["02"]);
    assert_eq!(found("remoteServiceName=front").await, ["01"]);
    assert_eq!(found("annotationQuery=error").await, ["01"]);
    let tag = "annotationQuery=http.response.status_code%3D500%20and%20error";
    assert_eq!(found(tag).await, ["01"]);
    assert_eq!(found("annotationQuery=none").await, [""; 0]);
    assert_eq!(found("minDuration=25000").await, ["01"]);
    assert_eq!(found("minDuration=1000&maxDuration=3000").await, ["02"]);
    assert_eq!(found("lookback=960").await, ["02"]);
    for wrong in ["limit=0", "limit=x", "maxDuration=5", "lookback=0", "minDuration=-1"] {
        assert_eq!(get(&format!("/api/v2/traces?{wrong}")).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn traces_by_id() {
    let (status, spans) = get("/api/v2/trace/00000000000000000000000000000001").await;
    assert_eq!((status, spans.as_array().unwrap().len()), (200, 2));
    assert_eq!(spans[1]["remoteEndpoint"]["serviceName"], "front");
    assert_eq!(get("/api/v2/trace/1").await.0, 200);
    assert_eq!(get("/api/v2/trace/77").await.0, 404);
    assert_eq!(get("/api/v2/trace/+1").await.0, 400);
    let (status, many) = get("/api/v2/traceMany?traceIds=2,77,1").await;
    let lengths: Vec<_> =
        many.as_array().unwrap().iter().map(|trace| trace.as_array().unwrap().len()).collect();
    assert_eq!((status, lengths), (200, vec![1, 2]));
    assert_eq!(get("/api/v2/traceMany?traceIds=").await.0, 400);
    assert_eq!(get("/api/v2/traceMany").await.0, 400);
}
