//! Traces, as lists of spans in Zipkin's format.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::search::Search;
use super::{json, wrong};
use crate::export::zipkin_json;
use crate::serve::{Sources, Traces, blocking};
use crate::trace::{Span, TraceId};

/// Ids of one request.
const MOST: usize = 1000;

/// 1 to 32 hexadecimal digits, not all zero; zeroes before them may be left out.
fn id(text: &str) -> Option<TraceId> {
    let digits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|number| digits && *number != 0)?;
    Some(TraceId(number.to_be_bytes()))
}

/// Lists of spans, a list a trace, in the order of `ids`; those without spans are left out.
fn lists(traces: &dyn Traces, ids: &[TraceId]) -> Vec<u8> {
    let mut by_id: HashMap<TraceId, Vec<Arc<Span>>> = HashMap::new();
    for span in traces.traces(ids) {
        by_id.entry(span.trace_id).or_default().push(span);
    }
    let lists = ids.iter().filter_map(|id| by_id.remove(id)).map(|spans| zipkin_json(&spans));
    let mut all = vec![b'['];
    for list in lists {
        if all.len() > 1 {
            all.push(b',');
        }
        all.extend(list);
    }
    all.push(b']');
    all
}

pub(super) async fn traces(
    State(sources): State<Sources>,
    Query(search): Query<Search>,
) -> Result<Response, Response> {
    let query = search.query().map_err(wrong)?;
    let body = blocking(move || {
        let found = sources.traces.find(&query).traces;
        let ids: Vec<_> = found.iter().map(|found| found.trace_id).collect();
        lists(&*sources.traces, &ids)
    });
    Ok(json(body.await?))
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
    Ok(json(blocking(move || lists(&*sources.traces, &ids)).await?))
}

pub(super) async fn one(
    State(sources): State<Sources>,
    Path(text): Path<String>,
) -> Result<Response, Response> {
    let id = id(&text).ok_or_else(|| wrong(&format!("{text} is no trace id")))?;
    let spans = blocking(move || sources.traces.trace(id)).await?;
    if spans.is_empty() {
        return Err((StatusCode::NOT_FOUND, format!("{id} not found\n")).into_response());
    }
    Ok(json(zipkin_json(&spans)))
}
