//! The tracer's file exporter, read back: OTLP's JSON form, one request a line.
//! <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::span::Side;
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

/// One span, with its resource's attributes.
#[derive(Clone, Debug)]
pub struct Span {
    /// Trace id, hexadecimal.
    pub trace: String,
    /// Span id, hexadecimal.
    pub id: String,
    /// Parent's id; empty if it has none.
    pub parent: String,
    /// Whose view it is.
    pub side: Side,
    /// What the operation is called.
    pub name: String,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// The same.
    pub end: u64,
    /// Trace and id of the spans that it is linked to.
    pub links: Vec<(String, String)>,
    attributes: BTreeMap<String, String>,
    resource: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Deserialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct ScopeSpans {
    spans: Vec<RawSpan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSpan {
    trace_id: String,
    span_id: String,
    parent_span_id: String,
    kind: u8,
    name: String,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    #[serde(default)]
    links: Vec<RawLink>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLink {
    trace_id: String,
    span_id: String,
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    /// An object with one entry: its type's name with the value.
    value: BTreeMap<String, Value>,
}

/// Every span of the file.
///
/// # Errors
/// If a line is not what OTLP says.
pub fn read(file: &Path) -> Result<Vec<Span>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut spans = vec![];
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).with_context(|| line.to_owned())?;
        for group in line.resource_spans {
            let resource = texts(group.resource.attributes);
            for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                spans.push(Span::new(span, resource.clone())?);
            }
        }
    }
    Ok(spans)
}

impl Span {
    fn new(raw: RawSpan, resource: BTreeMap<String, String>) -> Result<Span> {
        Ok(Span {
            trace: raw.trace_id,
            id: raw.span_id,
            parent: raw.parent_span_id,
            // opentelemetry/proto/trace/v1/trace.proto, enum SpanKind.
            side: match raw.kind {
                2 => Side::Server,
                3 => Side::Client,
                4 => Side::Producer,
                5 => Side::Consumer,
                kind => anyhow::bail!("span of kind {kind}"),
            },
            name: raw.name,
            start: raw.start_time_unix_nano.parse()?,
            end: raw.end_time_unix_nano.parse()?,
            links: raw.links.into_iter().map(|link| (link.trace_id, link.span_id)).collect(),
            attributes: texts(raw.attributes),
            resource,
        })
    }

    /// An attribute's value as text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str)
    }

    /// A resource attribute's.
    pub fn resource(&self, key: &str) -> Option<&str> {
        self.resource.get(key).map(String::as_str)
    }

    /// An attribute that is a number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.parse().ok()
    }

    /// Path and query, whichever attributes this side has them in.
    pub fn target(&self) -> String {
        match (self.get("url.path"), self.get("url.query"), self.get("url.full")) {
            (Some(path), Some(query), _) => format!("{path}?{query}"),
            (Some(path), None, _) => path.to_owned(),
            (_, _, Some(url)) => {
                let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
                rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        }
    }
}

fn texts(attributes: Vec<Attribute>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|Attribute { key, value }| (key, text(value))).collect()
}

fn text(value: BTreeMap<String, Value>) -> String {
    match value.into_values().next() {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
