//! `/ui/map?seconds=60`: services and their calls.

use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::metrics::Map;
use crate::serve::Sources;

#[derive(Deserialize)]
pub(super) struct Window {
    #[serde(default = "minute")]
    seconds: u16,
}

fn minute() -> u16 {
    60
}

pub(super) async fn map(State(sources): State<Sources>, Query(window): Query<Window>) -> Json<Map> {
    Json(sources.metrics.map(Duration::from_secs(window.seconds.into())))
}
