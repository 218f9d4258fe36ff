//! Names, and who calls whom.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::{answer, told, wrong};
use crate::serve::{Sources, reading};

pub(super) async fn services(State(sources): State<Sources>) -> Result<Response, Response> {
    Ok(answer(reading(move || sources.traces.snapshot().services()).await?))
}

pub(super) async fn names(
    State(sources): State<Sources>,
    Path(service): Path<String>,
) -> Result<Response, Response> {
    let names = reading(move || sources.traces.snapshot().operations(&service)).await?;
    // As Jaeger has it: of a service that is not there, no list.
    let total = names.len();
    Ok(told((total > 0).then_some(names), total))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Of {
    service: String,
    span_kind: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    name: String,
    span_kind: String,
}

pub(super) async fn operations(
    State(sources): State<Sources>,
    Query(of): Query<Of>,
) -> Result<Response, Response> {
    if of.service.is_empty() {
        return Err(wrong(StatusCode::BAD_REQUEST, "parameter 'service' is required"));
    }
    let service = of.service;
    let all = reading(move || sources.traces.snapshot().kinds(&service)).await?;
    let operation = |(name, kind): (String, crate::trace::Kind)| Operation {
        name,
        span_kind: kind.name().to_lowercase(),
    };
    let all = all.into_iter().map(operation);
    Ok(answer(all.filter(|it| of.span_kind.is_empty() || it.span_kind == of.span_kind).collect()))
}

/// Milliseconds, the first since the Unix epoch.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Window {
    end_ts: u64,
    #[serde(default = "day")]
    lookback: u64,
}

fn day() -> u64 {
    86_400_000
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    parent: String,
    child: String,
    call_count: u64,
}

pub(super) async fn dependencies(
    State(sources): State<Sources>,
    Query(window): Query<Window>,
) -> Result<Response, Response> {
    let nanoseconds = |milliseconds: u64| milliseconds.saturating_mul(1_000_000);
    let start = nanoseconds(window.end_ts.saturating_sub(window.lookback));
    let range = start..=nanoseconds(window.end_ts).saturating_add(999_999);
    let all = reading(move || sources.traces.snapshot().dependencies(range)).await?;
    let link = |it: crate::store::Dependency| Link {
        parent: it.parent,
        child: it.child,
        call_count: it.calls,
    };
    Ok(answer(all.into_iter().map(link).collect()))
}
