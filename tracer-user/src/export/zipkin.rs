//! Spans as Zipkin's JSON, version 2. <https://zipkin.io/zipkin-api/#/default/post_spans>
//!
//! Zipkin refuses the whole list for one span that it can't take, so each is made to fit on its
//! own. What it checks is in its `zipkin2.Span.Builder`: ids are lower-case hex and not all zero,
//! numbers fit a signed 64 bits, tags have no null value; a parent equal to the span itself it
//! drops, and names and services it lower-cases.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::trace::{Endpoint, Kind, Span};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan<'a> {
    trace_id: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    timestamp: u64,
    duration: u64,
    #[serde(skip_serializing_if = "ZipkinEndpoint::is_empty")]
    local_endpoint: ZipkinEndpoint,
    #[serde(skip_serializing_if = "ZipkinEndpoint::is_empty")]
    remote_endpoint: ZipkinEndpoint,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'a>>,
    tags: BTreeMap<&'a str, Cow<'a, str>>,
}

/// An event; Zipkin has no attributes for it.
#[derive(Serialize)]
struct Annotation<'a> {
    timestamp: u64,
    value: &'a str,
}

#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinEndpoint {
    #[serde(skip_serializing_if = "String::is_empty")]
    service_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

impl ZipkinEndpoint {
    fn new(endpoint: &Endpoint, service: Option<&str>) -> Self {
        // A dual-stack socket shows IPv4 peers as mapped addresses.
        let address = endpoint.address.map(|address| address.to_canonical());
        ZipkinEndpoint {
            service_name: service.unwrap_or_default().to_lowercase(),
            ipv4: address.filter(IpAddr::is_ipv4),
            ipv6: address.filter(IpAddr::is_ipv6),
            port: Some(endpoint.port).filter(|port| *port != 0),
        }
    }

    fn is_empty(&self) -> bool {
        *self == ZipkinEndpoint::default()
    }
}

/// The list, and how many spans are not in it because they have no valid id.
pub(super) fn json(spans: &[Arc<Span>]) -> (Vec<u8>, u64) {
    let valid: Vec<_> = spans.iter().filter_map(|span| zipkin_span(span)).collect();
    let invalid = (spans.len() - valid.len()) as u64;
    match serde_json::to_vec(&valid) {
        Ok(body) => (body, invalid),
        Err(never) => unreachable!("strings, numbers and maps by strings: {never}"),
    }
}

fn zipkin_span(span: &Span) -> Option<ZipkinSpan<'_>> {
    if span.trace_id.0 == [0; 16] || span.span_id.0 == [0; 8] {
        return None;
    }
    // The difference of rounded ends, not the rounded difference: a child that ends before its
    // parent must not seem to end a microsecond after it.
    let (start, end) = (span.start / 1000, span.end / 1000);
    Some(ZipkinSpan {
        trace_id: span.trace_id.to_string(),
        id: span.span_id.to_string(),
        parent_id: span
            .parent
            .filter(|id| *id != span.span_id && id.0 != [0; 8])
            .map(|id| id.to_string()),
        // Zipkin has no word for what is neither side of an exchange.
        kind: Some(span.kind).filter(|kind| *kind != Kind::Internal).map(Kind::name),
        name: span.name.to_lowercase(),
        timestamp: start,
        duration: end.saturating_sub(start).max(1),
        local_endpoint: ZipkinEndpoint::new(&span.local, Some(&span.resource.service)),
        remote_endpoint: ZipkinEndpoint::new(&span.remote, span.remote.service.as_deref()),
        annotations: span
            .events
            .iter()
            .filter(|event| !event.name.is_empty())
            .map(|event| Annotation { timestamp: event.time / 1000, value: &event.name })
            .collect(),
        tags: tags(span),
    })
}

/// The resource's attributes, then the span's own, which win.
fn tags(span: &Span) -> BTreeMap<&str, Cow<'_, str>> {
    let resource = span.resource.attributes.iter().filter(|(key, _)| key != "service.name");
    let mut tags: BTreeMap<&str, Cow<'_, str>> = resource
        .chain(&span.attributes)
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (&**key, value.text()))
        .collect();
    if let Some(state) = span.trace_state.as_deref().filter(|state| !state.is_empty()) {
        tags.insert("w3c.tracestate", state.into());
    }
    if !span.links.is_empty() {
        let links: Vec<_> =
            span.links.iter().map(|link| format!("{}-{}", link.trace_id, link.span_id)).collect();
        tags.insert("links", links.join(",").into());
    }
    if let Some(text) = span.error_text() {
        // The tag alone marks the span as failed; its value is for people.
        tags.insert("error", text);
        tags.insert("otel.status_code", "ERROR".into());
    }
    tags
}

#[cfg(test)]
#[path = "zipkin_tests.rs"]
mod tests;
