//! `/ui/trace/ID`: one trace for the page, and in the formats that backends take.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::span::Told;
use crate::export::{otlp_json, zipkin_json};
use crate::serve::{Sources, reading};
use crate::store::Trace as Stored;
use crate::trace::TraceId;

#[derive(Serialize)]
pub(super) struct Trace {
    id: String,
    /// Milliseconds since the Unix epoch, of its first span.
    start: f64,
    spans: Vec<Told>,
    /// Later spans that there are besides.
    left_out: u64,
}

pub(super) async fn page(
    State(sources): State<Sources>,
    Path(id): Path<String>,
) -> Result<Json<Trace>, Response> {
    let found = held(sources, &id).await?;
    let begin = found.spans.iter().map(|span| span.start).min().unwrap_or(0);
    Ok(Json(Trace {
        id: found.id.to_string(),
        start: begin as f64 / 1e6,
        spans: found.spans.iter().map(|span| Told::of(span, begin)).collect(),
        left_out: found.left_out,
    }))
}

pub(super) async fn otlp(
    State(sources): State<Sources>,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    let found = held(sources, &id).await?;
    Ok(file(&format!("{}.otlp.json", found.id), otlp_json(&found.spans)))
}

pub(super) async fn zipkin(
    State(sources): State<Sources>,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    let found = held(sources, &id).await?;
    Ok(file(&format!("{}.zipkin.json", found.id), zipkin_json(&found.spans)))
}

fn file(name: &str, json: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let kind = "application/json".to_owned();
    ([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition)], json).into_response()
}

/// The trace with this id; the answer that says so if there is none.
async fn held(sources: Sources, id: &str) -> Result<Stored, Response> {
    let none = || (StatusCode::NOT_FOUND, "No such trace is held.\n").into_response();
    let id = parse(id).ok_or_else(none)?;
    let mut trace = reading(move || sources.traces.snapshot().trace(id)).await?.ok_or_else(none)?;
    trace.spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    Ok(trace)
}

/// Hexadecimal digits; zeroes before them may be left out.
fn parse(text: &str) -> Option<TraceId> {
    let digits =
        (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|number| digits && *number != 0)?;
    Some(TraceId(number.to_be_bytes()))
}
