//! Names, and who calls whom. Zipkin knows names in lower case only.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::search::range;
use super::wrong;
use crate::serve::{Sources, reading};
use crate::store::Snapshot;

/// `?serviceName=`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(super) struct Of {
    service_name: Option<String>,
    key: Option<String>,
    end_ts: Option<u64>,
    lookback: Option<u64>,
}

type Names = Result<Json<BTreeSet<String>>, Response>;

async fn names(
    sources: Sources,
    ask: impl FnOnce(&Snapshot) -> Vec<String> + Send + 'static,
) -> Names {
    let names = reading(move || ask(&sources.traces.snapshot())).await?;
    Ok(Json(names.into_iter().map(|name| name.to_lowercase()).collect()))
}

pub(super) async fn services(State(sources): State<Sources>) -> Names {
    names(sources, |traces| traces.services()).await
}

pub(super) async fn spans(State(sources): State<Sources>, Query(of): Query<Of>) -> Names {
    let service = of.service_name.ok_or_else(|| wrong("serviceName is required"))?;
    names(sources, move |traces| traces.operations(&service)).await
}

pub(super) async fn remote_services(State(sources): State<Sources>, Query(of): Query<Of>) -> Names {
    let service = of.service_name.ok_or_else(|| wrong("serviceName is required"))?;
    names(sources, move |traces| traces.remote_services(&service)).await
}

pub(super) async fn keys(State(sources): State<Sources>) -> Result<Json<Vec<String>>, Response> {
    reading(move || sources.traces.snapshot().keys()).await.map(Json)
}

pub(super) async fn values(
    State(sources): State<Sources>,
    Query(of): Query<Of>,
) -> Result<Json<Vec<String>>, Response> {
    let key = of.key.ok_or_else(|| wrong("key is required"))?;
    reading(move || sources.traces.snapshot().values(&key)).await.map(Json)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    parent: String,
    child: String,
    call_count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    error_count: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

pub(super) async fn dependencies(
    State(sources): State<Sources>,
    Query(of): Query<Of>,
) -> Result<Json<Vec<Link>>, Response> {
    let end = of.end_ts.ok_or_else(|| wrong("endTs is required"))?;
    let range = range(Some(end), of.lookback).map_err(wrong)?;
    let all = reading(move || sources.traces.snapshot().dependencies(range)).await?;
    let mut links: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    for it in all {
        let (calls, errors) =
            links.entry((it.parent.to_lowercase(), it.child.to_lowercase())).or_default();
        *calls += it.calls;
        *errors += it.errors;
    }
    let link = |((parent, child), (call_count, error_count))| Link {
        parent,
        child,
        call_count,
        error_count,
    };
    Ok(Json(links.into_iter().map(link).collect()))
}
