//! `/ui/trace/ID`: one trace for the page, and in the formats that backends take.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::span::Told;
use crate::export::{otlp_json, zipkin_json};
use crate::serve::{Sources, blocking};
use crate::trace::{Span, TraceId};

#[derive(Serialize)]
pub(super) struct Trace {
    id: String,
    /// Milliseconds since the Unix epoch, of its first span.
    start: f64,
    spans: Vec<Told>,
}

pub(super) async fn page(
    State(sources): State<Sources>,
    Path(id): Path<String>,
) -> Result<Json<Trace>, Response> {
    let (id, spans) = spans(sources, &id).await?;
    let begin = spans.iter().map(|span| span.start).min().unwrap_or(0);
    Ok(Json(Trace {
        id: id.to_string(),
        start: begin as f64 / 1e6,
        spans: spans.iter().map(|span| Told::of(span, begin)).collect(),
    }))
}

pub(super) async fn otlp(
    State(sources): State<Sources>,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    let (id, spans) = spans(sources, &id).await?;
    Ok(file(&format!("{id}.otlp.json"), otlp_json(&spans)))
}

pub(super) async fn zipkin(
    State(sources): State<Sources>,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    let (id, spans) = spans(sources, &id).await?;
    Ok(file(&format!("{id}.zipkin.json"), zipkin_json(&spans)))
}

fn file(name: &str, json: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let kind = "application/json".to_owned();
    ([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition)], json).into_response()
}

/// The spans of the trace with this id; the answer that says so if there are none.
async fn spans(sources: Sources, id: &str) -> Result<(TraceId, Vec<Arc<Span>>), Response> {
    let none = || (StatusCode::NOT_FOUND, "No such trace is held.\n").into_response();
    let id = parse(id).ok_or_else(none)?;
    let mut spans = blocking(move || sources.traces.trace(id)).await?;
    if spans.is_empty() {
        return Err(none());
    }
    spans.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    Ok((id, spans))
}

/// Hexadecimal digits; zeroes before them may be left out.
fn parse(text: &str) -> Option<TraceId> {
    let digits =
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|number| digits && *number != 0)?;
    Some(TraceId(number.to_be_bytes()))
}
