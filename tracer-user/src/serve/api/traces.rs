//! `/ui/traces?service=&name=&text=&min=&max=&errors=&from=&to=&limit=`: a search.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::serve::{Sources, reading};
use crate::store::{Found, Query as Wanted};

/// Most traces of an answer.
const MAX: usize = 1000;

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Search {
    service: String,
    name: String,
    text: String,
    /// The response's status code.
    status: String,
    /// Milliseconds.
    min: Option<f64>,
    max: Option<f64>,
    errors: bool,
    /// Milliseconds since the Unix epoch.
    from: Option<u64>,
    to: Option<u64>,
    limit: usize,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            service: String::new(),
            name: String::new(),
            text: String::new(),
            status: String::new(),
            min: None,
            max: None,
            errors: false,
            from: None,
            to: None,
            limit: 100,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Answer {
    traces: Vec<Short>,
    complete: bool,
}

#[derive(Serialize)]
struct Short {
    id: String,
    service: String,
    name: String,
    /// It has no parent.
    root: bool,
    /// Milliseconds since the Unix epoch.
    start: f64,
    /// Milliseconds.
    duration: f64,
    spans: u32,
    errors: u32,
    services: Vec<(String, u32)>,
}

pub(super) async fn traces(
    State(sources): State<Sources>,
    Query(search): Query<Search>,
) -> Result<Json<Answer>, Response> {
    let wanted = search.wanted();
    let found = reading(move || sources.traces.snapshot().find(&wanted)).await?;
    let traces = found.traces.into_iter().map(Short::of).collect();
    Ok(Json(Answer { traces, complete: found.complete }))
}

impl Search {
    fn wanted(self) -> Wanted {
        let text = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        // What is negative or no number becomes 0 by the cast.
        let nanoseconds = |milliseconds: f64| (milliseconds * 1e6) as u64;
        Wanted {
            service: text(self.service),
            name: text(self.name),
            text: text(self.text),
            min_duration: self.min.map(nanoseconds),
            max_duration: self.max.map(nanoseconds),
            errors: self.errors,
            attributes: text(self.status).map(status).into_iter().collect(),
            from: self.from.map(|from| from.saturating_mul(1_000_000)),
            to: self.to.map(|to| to.saturating_mul(1_000_000)),
            limit: self.limit.clamp(1, MAX),
            ..Wanted::default()
        }
    }
}

fn status(code: String) -> (String, Option<String>) {
    ("http.response.status_code".to_owned(), Some(code))
}

impl Short {
    fn of(found: Found) -> Self {
        Self {
            id: found.trace_id.to_string(),
            service: found.root_service,
            name: found.root_name,
            root: found.has_root,
            start: found.start as f64 / 1e6,
            duration: found.duration as f64 / 1e6,
            spans: found.spans,
            errors: found.errors,
            services: found.services,
        }
    }
}
