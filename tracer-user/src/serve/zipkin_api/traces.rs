//! Traces, as lists of spans in Zipkin's format.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::search::Search;
use super::{json, wrong};
use crate::export::zipkin_json;
use crate::serve::stream::{self, Form};
use crate::serve::{Sources, reading};
use crate::store::Snapshot;
use crate::trace::TraceId;

/// Ids of one request.
const MOST: usize = 1000;

/// 1 to 32 hexadecimal digits, not all zero; zeroes before them may be left out.
fn id(text: &str) -> Option<TraceId> {
    let digits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|number| digits && *number != 0)?;
    Some(TraceId(number.to_be_bytes()))
}

/// Lists of spans, a list a trace.
const FORM: Form = Form { before: "[", after: "]", trace: |trace| zipkin_json(&trace.spans) };

pub(super) async fn traces(
    State(sources): State<Sources>,
    Query(search): Query<Search>,
) -> Result<Response, Response> {
    let query = search.query().map_err(wrong)?;
    let look = move |traces: &Snapshot| traces.whole_of(&traces.find(&query).traces);
    Ok(stream::answer(sources.traces, FORM, look).await)
}

/// `?traceIds=a,b`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Many {
    trace_ids: String,
}

pub(super) async fn many(
    State(sources): State<Sources>,
    Query(many): Query<Many>,
) -> Result<Response, Response> {
    let mut ids = vec![];
    for text in many.trace_ids.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        ids.push(id(text).ok_or_else(|| wrong(&format!("{text} is no trace id")))?);
    }
    if ids.is_empty() || ids.len() > MOST {
        return Err(wrong("traceIds has no id, or more than 1000"));
    }
    Ok(stream::answer(sources.traces, FORM, move |traces| traces.whole(&ids)).await)
}

pub(super) async fn one(
    State(sources): State<Sources>,
    Path(text): Path<String>,
) -> Result<Response, Response> {
    let id = id(&text).ok_or_else(|| wrong(&format!("{text} is no trace id")))?;
    let trace = reading(move || sources.traces.snapshot().trace(id)).await?;
    let none = || (StatusCode::NOT_FOUND, format!("{id} not found\n")).into_response();
    Ok(json(zipkin_json(&trace.ok_or_else(none)?.spans)))
}
