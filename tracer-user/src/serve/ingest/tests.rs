//! What the exporters write is read again; and what nobody should write.

use std::io::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use tower::ServiceExt as _;

use super::router;
use crate::export::{otlp_json, zipkin_json};
use crate::serve::testing::{sources, span, told};
use crate::serve::{Recent, Traces as _};
use crate::trace::{Kind, Span, Status, TraceId};

fn service() -> (Router, Arc<Recent>) {
    let recent = Arc::new(Recent::default());
    (router(&sources(&recent)), recent)
}

async fn post(
    router: &Router,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Response<Body> {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> (u16, String) {
    let (status, body) = told(response).await;
    (status, String::from_utf8(body).unwrap())
}

const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sent() -> Vec<Arc<Span>> {
    let mut child = Span::clone(&span(1, 2, Some(1), "cart", "GET /cart/{id}", 5, 20, 500));
    child.kind = Kind::Internal;
    child.status = Status::Error(Some("boom".into()));
    vec![span(1, 1, None, "front", "GET /", 0, 30, 200), Arc::new(child)]
}

fn held(recent: &Recent) -> Vec<Arc<Span>> {
    let trace = recent.snapshot().trace(TraceId(1_u128.to_be_bytes()));
    trace.map(|trace| trace.spans).unwrap_or_default()
}

#[tokio::test]
async fn otlp_is_taken_as_json_and_packed() {
    let (router, recent) = service();
    let answer = post(&router, "/v1/traces", &[JSON, GZIP], gzip(&otlp_json(&sent()))).await;
    assert_eq!(text(answer).await, (200, "{\"partialSuccess\":null}".into()));
    let spans = held(&recent);
    assert_eq!(spans.len(), 2);
    for (sent, held) in sent().iter().zip(&spans) {
        assert_eq!((held.span_id, held.parent, held.kind), (sent.span_id, sent.parent, sent.kind));
        assert_eq!((held.start, held.end, &held.status), (sent.start, sent.end, &sent.status));
        assert_eq!((&held.name, &held.resource.service), (&sent.name, &sent.resource.service));
        assert_eq!(held.attributes[..1], sent.attributes[..]);
    }
}

#[tokio::test]
async fn zipkin_s_list_is_taken() {
    let (router, recent) = service();
    let answer = post(&router, "/api/v2/spans", &[JSON], zipkin_json(&sent())).await;
    assert_eq!(text(answer).await, (202, String::new()));
    let spans = held(&recent);
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[1].status, Status::Error(Some("boom".into())));
    assert_eq!((spans[1].parent, &*spans[1].resource.service), (Some(spans[0].span_id), "cart"));
    assert_eq!((spans[1].start, spans[1].end), (5_000_000, 25_000_000));
}

#[tokio::test]
async fn spans_without_valid_ids_are_rejected() {
    let (router, recent) = service();
    let json = String::from_utf8(otlp_json(&sent())).unwrap();
    let broken = json.replacen("0000000000000002", "0000000000000000", 1);
    let answer = post(&router, "/v1/traces", &[JSON], broken.into()).await;
    let (status, body) = text(answer).await;
    assert_eq!(status, 200);
    assert!(
        body.contains("\"rejectedSpans\":\"1\"") || body.contains("\"rejectedSpans\":1"),
        "{body}"
    );
    assert_eq!(held(&recent).len(), 1);
    let json = String::from_utf8(zipkin_json(&sent())).unwrap();
    let broken = json.replacen("\"id\":\"0000000000000002\"", "\"id\":\"x\"", 1);
    let (status, body) = text(post(&router, "/api/v2/spans", &[JSON], broken.into()).await).await;
    assert_eq!((status, &*body), (400, "invalid id\n"));
}

#[tokio::test]
async fn nonsense_is_refused() {
    let (router, recent) = service();
    let bomb = gzip(&vec![b' '; super::body::MAX_UNPACKED + 1]);
    let deep = format!("[{}", "[".repeat(100_000));
    for (headers, body, expected) in [
        (&[JSON][..], b"{".to_vec(), 400),
        (&[JSON], deep.into_bytes(), 400),
        (&[JSON, GZIP], b"no gzip".to_vec(), 400),
        (&[JSON, GZIP], bomb, 413),
        (&[JSON], vec![b' '; 9 << 20], 413),
        (&[("content-type", "text/plain")], vec![], 415),
        (&[JSON, ("content-encoding", "br")], vec![], 415),
        (&[("content-type", "application/x-protobuf")], vec![0xff; 100], 400),
    ] {
        for path in ["/v1/traces", "/api/v2/spans"] {
            let (status, _) = text(post(&router, path, headers, body.clone()).await).await;
            assert_eq!(status, expected, "{path} {headers:?}");
        }
    }
    assert_eq!(recent.held().spans, 0);
}
