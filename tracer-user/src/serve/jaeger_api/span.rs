//! A trace in the JSON of Jaeger's page: times in microseconds, services as numbered processes, and of
//! OTLP's fields those tags that Jaeger makes of them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::store::Trace as Stored;
use crate::trace::{Resource, Span, Status, TraceId, Value};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trace {
    #[serde(rename = "traceID")]
    trace_id: String,
    spans: Vec<Told>,
    processes: BTreeMap<String, Process>,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    operation_name: String,
    references: Vec<Reference>,
    start_time: u64,
    duration: u64,
    tags: Vec<Tag>,
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process_id: String,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: &'static str,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Serialize)]
struct Tag {
    key: String,
    #[serde(rename = "type")]
    of: &'static str,
    value: Json,
}

#[derive(Serialize)]
struct Log {
    timestamp: u64,
    fields: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
    tags: Vec<Tag>,
}

impl Trace {
    /// As it is stored.
    pub(super) fn of(trace: &Stored) -> Self {
        let mut resources: Vec<&Resource> = vec![];
        let mut told = vec![];
        for span in &trace.spans {
            let known = resources.iter().position(|known| **known == *span.resource);
            let number = known.unwrap_or_else(|| {
                resources.push(&span.resource);
                resources.len() - 1
            });
            told.push(Told::of(span, process_id(number)));
        }
        let process = |(number, resource): (usize, &&Resource)| {
            let service_name = resource.service.to_string();
            (process_id(number), Process { service_name, tags: tags(&resource.attributes) })
        };
        let processes = resources.iter().enumerate().map(process).collect();
        let left_out = Some(trace.left_out).filter(|count| *count > 0);
        let warnings = left_out.map(|count| vec![format!("{count} more spans are not shown")]);
        Self { trace_id: trace.id.to_string(), spans: told, processes, warnings }
    }
}

fn process_id(number: usize) -> String {
    format!("p{}", number + 1)
}

impl Told {
    fn of(span: &Span, process_id: String) -> Self {
        let reference = |ref_type, trace_id: TraceId, span_id: crate::trace::SpanId| Reference {
            ref_type,
            trace_id: trace_id.to_string(),
            span_id: span_id.to_string(),
        };
        let parent = span.parent.map(|parent| reference("CHILD_OF", span.trace_id, parent));
        let links =
            span.links.iter().map(|link| reference("FOLLOWS_FROM", link.trace_id, link.span_id));
        let logs = span.events.iter().map(|event| {
            let mut fields = vec![text("event", &event.name)];
            fields.extend(tags(&event.attributes));
            Log { timestamp: event.time / 1000, fields }
        });
        let (start, end) = (span.start / 1000, span.end / 1000);
        Self {
            trace_id: span.trace_id.to_string(),
            span_id: span.span_id.to_string(),
            operation_name: span.name.clone(),
            references: parent.into_iter().chain(links).collect(),
            start_time: start,
            duration: end.saturating_sub(start),
            tags: all_tags(span),
            logs: logs.collect(),
            process_id,
            warnings: None,
        }
    }
}

fn all_tags(span: &Span) -> Vec<Tag> {
    let mut all = tags(&span.attributes);
    all.push(text("span.kind", &span.kind.name().to_lowercase()));
    if let Status::Error(description) = &span.status {
        all.push(text("otel.status_code", "ERROR"));
        all.push(Tag { key: "error".to_owned(), of: "bool", value: true.into() });
        if let Some(description) = description {
            all.push(text("otel.status_description", description));
        }
    }
    if let Some(state) = &span.trace_state {
        all.push(text("w3c.tracestate", state));
    }
    all
}

fn text(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), of: "string", value: value.into() }
}

fn tags(attributes: &[(std::borrow::Cow<'static, str>, Value)]) -> Vec<Tag> {
    let tag = |(key, value): &(std::borrow::Cow<'static, str>, Value)| {
        let (of, value) = match value {
            Value::Text(text) => ("string", Json::from(&**text)),
            Value::Int(number) => ("int64", (*number).into()),
            Value::Double(number) if number.is_finite() => ("float64", (*number).into()),
            Value::Double(number) => ("string", number.to_string().into()),
            Value::Bool(truth) => ("bool", (*truth).into()),
            // As Jaeger does with lists: a text of JSON.
            Value::Texts(texts) => ("string", Json::from(texts.clone()).to_string().into()),
        };
        Tag { key: key.to_string(), of, value }
    };
    attributes.iter().map(tag).collect()
}
