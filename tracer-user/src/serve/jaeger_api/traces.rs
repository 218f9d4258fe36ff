//! Searches, and traces by their ids.

use std::collections::HashMap;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::span::Trace as Told;
use super::wrong;
use crate::serve::stream::{self, Form};
use crate::serve::{Sources, reading};
use crate::store::{Query, Snapshot};
use crate::trace::TraceId;

/// Traces where no limit is said, and the most.
const LIMIT: usize = 20;
const MOST: usize = 1500;

fn id(text: &str) -> Option<TraceId> {
    let digits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|number| digits && *number != 0)?;
    Some(TraceId(number.to_be_bytes()))
}

fn bad(why: impl ToString) -> Response {
    wrong(StatusCode::BAD_REQUEST, why)
}

pub(super) async fn one(
    State(sources): State<Sources>,
    Path(text): Path<String>,
) -> Result<Response, Response> {
    let id = id(&text).ok_or_else(|| bad(format!("{text} is no trace id")))?;
    let told = reading(move || sources.traces.snapshot().trace(id).as_ref().map(Told::of)).await?;
    let told = told.ok_or_else(|| wrong(StatusCode::NOT_FOUND, "trace not found"))?;
    // Jaeger counts names, but not traces.
    Ok(super::told(Some(vec![told]), 0))
}

/// Around traces, as [`told`](super::told) has it.
const FORM: Form = Form {
    before: "{\"data\":[",
    after: "],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}",
    // What is made of numbers and texts can be written.
    trace: |trace| serde_json::to_vec(&Told::of(trace)).unwrap_or_default(),
};

/// What a search asks for.
enum Asked {
    Ids(Vec<TraceId>),
    Query(Box<Query>),
}

pub(super) async fn traces(
    State(sources): State<Sources>,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let asked = asked(query.as_deref().unwrap_or_default()).map_err(bad)?;
    let look = move |traces: &Snapshot| match asked {
        Asked::Ids(ids) => traces.whole(&ids),
        Asked::Query(query) => traces.whole_of(&traces.find(&query).traces),
    };
    Ok(stream::answer(sources.traces, FORM, look).await)
}

/// `service=&operation=&start=&end=&minDuration=&maxDuration=&limit=`, tags as `tag=key:value` or as
/// JSON in `tags`; or `traceID=`, again and again.
fn asked(query: &str) -> Result<Asked, String> {
    let mut ids = vec![];
    let mut wanted = Query { limit: LIMIT, ..Query::default() };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        let wrong = || format!("unable to parse param '{name}': {value}");
        let microseconds =
            || value.parse::<u64>().map(|time| time.saturating_mul(1000)).map_err(|_| wrong());
        match &*name {
            "traceID" => ids.push(id(value).ok_or_else(wrong)?),
            "service" => wanted.service = Some(value.to_owned()),
            "operation" if value != "all" => wanted.name = Some(value.to_owned()),
            "start" => wanted.from = Some(microseconds()?),
            "end" => wanted.to = Some(microseconds()?.saturating_add(999)),
            "minDuration" => wanted.min_duration = Some(duration(value).ok_or_else(wrong)?),
            "maxDuration" => wanted.max_duration = Some(duration(value).ok_or_else(wrong)?),
            "limit" => {
                let limit: usize = value.parse().map_err(|_| wrong())?;
                wanted.limit = limit.clamp(1, MOST);
            }
            "tag" => {
                let (key, value) = value.split_once(':').ok_or_else(wrong)?;
                tag(&mut wanted, key, value.to_owned());
            }
            "tags" => {
                let tags: HashMap<String, serde_json::Value> =
                    serde_json::from_str(value).map_err(|_| wrong())?;
                for (key, value) in tags {
                    let text = value.as_str().map(str::to_owned);
                    tag(&mut wanted, &key, text.unwrap_or_else(|| value.to_string()));
                }
            }
            _ => {}
        }
    }
    match (ids.is_empty(), &wanted.service) {
        (false, _) => Ok(Asked::Ids(ids.into_iter().take(MOST).collect())),
        (true, Some(_)) => Ok(Asked::Query(Box::new(wanted))),
        (true, None) => Err("parameter 'service' is required".to_owned()),
    }
}

/// Some tags are no attributes, but made for the answer.
fn tag(wanted: &mut Query, key: &str, value: String) {
    match (key, value.as_str()) {
        ("error", "true") | ("otel.status_code", "ERROR") => wanted.errors = true,
        _ => wanted.attributes.push((key.to_owned(), Some(value))),
    }
}

/// Nanoseconds of one of Go's durations: `1.2s`, `100ms`, `500us`, `1m30s`.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let nanoseconds = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 6e10,
            "h" => 3.6e12,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * nanoseconds;
        rest = after;
    }
    (!text.is_empty()).then_some(sum as u64)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_gos() {
        assert_eq!(duration("1.5s"), Some(1_500_000_000));
        assert_eq!(duration("1m30s"), Some(90_000_000_000));
        assert_eq!(duration("500us"), Some(500_000));
        assert_eq!(duration("2µs"), Some(2000));
        for wrong in ["", "5", "s", "1 s", "-1s", "1d", "1..2s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
