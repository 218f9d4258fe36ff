//! `/ui/names?service=`: what a search can be for.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::serve::{Sources, reading};

/// Most names of each sort in an answer.
const MAX: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Of {
    #[serde(default)]
    service: String,
}

#[derive(Serialize)]
pub(super) struct Names {
    /// All services of which traces are held.
    services: Vec<String>,
    /// The names of that service's spans.
    names: Vec<String>,
}

pub(super) async fn names(
    State(sources): State<Sources>,
    Query(of): Query<Of>,
) -> Result<Json<Names>, Response> {
    let names = reading(move || {
        let traces = sources.traces.snapshot();
        let (mut services, mut names) = (traces.services(), traces.operations(&of.service));
        services.truncate(MAX);
        names.truncate(MAX);
        Names { services, names }
    });
    Ok(Json(names.await?))
}
