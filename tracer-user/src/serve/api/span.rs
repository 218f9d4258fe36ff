//! A span as the page takes it: times relative to the trace, in nanoseconds, since JavaScript's
//! numbers do not hold those of an epoch.

use serde::Serialize;
use serde_json::Value as Json;

use crate::trace::{Event, Link, Span, Status, Value};

type Pairs = Vec<(String, Json)>;

#[derive(Serialize)]
pub(super) struct Told {
    id: String,
    parent: Option<String>,
    kind: &'static str,
    service: String,
    name: String,
    start: u64,
    duration: u64,
    error: bool,
    /// What the status says of the error.
    description: Option<String>,
    peer: Option<String>,
    attributes: Pairs,
    resource: Pairs,
    events: Vec<Happened>,
    links: Vec<Linked>,
}

#[derive(Serialize)]
struct Happened {
    /// It may be before the trace.
    time: i64,
    name: String,
    attributes: Pairs,
}

#[derive(Serialize)]
struct Linked {
    trace: String,
    span: String,
    attributes: Pairs,
}

impl Told {
    /// `begin`: nanoseconds since the Unix epoch that times are relative to.
    pub(super) fn of(span: &Span, begin: u64) -> Self {
        let (error, description) = match &span.status {
            Status::Unset => (false, None),
            Status::Error(description) => (true, description.as_ref().map(ToString::to_string)),
        };
        Self {
            id: span.span_id.to_string(),
            parent: span.parent.map(|parent| parent.to_string()),
            kind: span.kind.name(),
            service: span.resource.service.to_string(),
            name: span.name.clone(),
            start: span.start.saturating_sub(begin),
            duration: span.end.saturating_sub(span.start),
            error,
            description,
            peer: span.remote.service.as_ref().map(ToString::to_string),
            attributes: pairs(&span.attributes),
            resource: pairs(&span.resource.attributes),
            events: span.events.iter().map(|event| Happened::of(event, begin)).collect(),
            links: span.links.iter().map(Linked::of).collect(),
        }
    }
}

impl Happened {
    fn of(event: &Event, begin: u64) -> Self {
        let time = event.time.wrapping_sub(begin).cast_signed();
        Self { time, name: event.name.clone(), attributes: pairs(&event.attributes) }
    }
}

impl Linked {
    fn of(link: &Link) -> Self {
        Self {
            trace: link.trace_id.to_string(),
            span: link.span_id.to_string(),
            attributes: pairs(&link.attributes),
        }
    }
}

fn pairs(attributes: &[(std::borrow::Cow<'static, str>, Value)]) -> Pairs {
    let json = |value: &Value| match value {
        Value::Text(text) => Json::from(&**text),
        // Beyond what JavaScript's numbers hold, as text.
        Value::Int(number) if number.unsigned_abs() > 1 << 53 => number.to_string().into(),
        Value::Int(number) => (*number).into(),
        Value::Double(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Texts(texts) => texts.clone().into(),
    };
    attributes.iter().map(|(key, value)| (key.to_string(), json(value))).collect()
}
