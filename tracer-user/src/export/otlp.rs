//! Spans in OTLP's terms.
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto>

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value,
};
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::trace::v1::span::{Event as OtlpEvent, Link as OtlpLink, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as OtlpSpan, SpanFlags, Status as OtlpStatus,
};

use crate::trace::{Kind, Resource, Span, Status, Value};

/// The version of the semantic conventions that the attributes' names come from.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// W3C trace flags: sampled. What is exported was.
const SAMPLED: u32 = 1;

type Attributes = [(Cow<'static, str>, Value)];

/// One request for all the spans, grouped by resource in the order of first appearance.
pub(super) fn request(spans: &[Arc<Span>]) -> ExportTraceServiceRequest {
    let mut groups: Vec<(&Arc<Resource>, Vec<OtlpSpan>)> = Vec::new();
    for span in spans {
        // A process shares one resource among its spans, so there are few groups in a batch.
        match groups.iter_mut().find(|(resource, _)| Arc::ptr_eq(resource, &span.resource)) {
            Some((_, group)) => group.push(otlp_span(span)),
            None => groups.push((&span.resource, vec![otlp_span(span)])),
        }
    }
    let resource_spans = groups
        .into_iter()
        .map(|(resource, spans)| ResourceSpans {
            resource: Some(otlp_resource(resource)),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "tracer".into(),
                    version: env!("CARGO_PKG_VERSION").into(),
                    ..Default::default()
                }),
                spans,
                schema_url: SCHEMA_URL.into(),
            }],
            schema_url: SCHEMA_URL.into(),
        })
        .collect();
    ExportTraceServiceRequest { resource_spans }
}

fn otlp_resource(resource: &Resource) -> OtlpResource {
    let service = Value::Text(Cow::Owned(resource.service.to_string()));
    let mut attributes = vec![pair("service.name", &service)];
    // Keys have to be unique; the service's name was decided by the tracer.
    let others = resource.attributes.iter().filter(|(key, _)| key != "service.name");
    attributes.extend(others.map(|(key, value)| pair(key, value)));
    OtlpResource { attributes, ..Default::default() }
}

fn otlp_span(span: &Span) -> OtlpSpan {
    OtlpSpan {
        trace_id: span.trace_id.0.to_vec(),
        span_id: span.span_id.0.to_vec(),
        trace_state: span.trace_state.clone().unwrap_or_default(),
        parent_span_id: span.parent.map(|id| id.0.to_vec()).unwrap_or_default(),
        flags: flags(span),
        name: span.name.clone(),
        kind: match span.kind {
            Kind::Client => SpanKind::Client,
            Kind::Server => SpanKind::Server,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
            Kind::Internal => SpanKind::Internal,
        }
        .into(),
        start_time_unix_nano: span.start,
        end_time_unix_nano: span.end,
        attributes: pairs(&span.attributes),
        events: span
            .events
            .iter()
            .map(|event| OtlpEvent {
                time_unix_nano: event.time,
                name: event.name.clone(),
                attributes: pairs(&event.attributes),
                ..Default::default()
            })
            .collect(),
        links: span
            .links
            .iter()
            .map(|link| OtlpLink {
                trace_id: link.trace_id.0.to_vec(),
                span_id: link.span_id.0.to_vec(),
                attributes: pairs(&link.attributes),
                ..Default::default()
            })
            .collect(),
        status: match &span.status {
            // Not left out: in JSON that would be a null, which not every reader takes.
            Status::Unset => Some(OtlpStatus::default()),
            Status::Error(message) => Some(OtlpStatus {
                message: message.as_deref().unwrap_or_default().to_owned(),
                code: StatusCode::Error.into(),
            }),
        },
        ..Default::default()
    }
}

/// A server's parent is in another process, as is that of who takes a message; others have it in
/// their own.
fn flags(span: &Span) -> u32 {
    let remote = match (span.parent, span.kind) {
        (None, _) => 0,
        (Some(_), Kind::Server | Kind::Consumer) => {
            SpanFlags::ContextHasIsRemoteMask as u32 | SpanFlags::ContextIsRemoteMask as u32
        }
        (Some(_), _) => SpanFlags::ContextHasIsRemoteMask as u32,
    };
    remote | SAMPLED
}

fn pairs(attributes: &Attributes) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| pair(key, value)).collect()
}

fn pair(key: &str, value: &Value) -> KeyValue {
    let text = |text: &str| any_value::Value::StringValue(text.to_owned());
    let value = match value {
        Value::Text(value) => text(value),
        Value::Int(number) => any_value::Value::IntValue(*number),
        // JSON has no form for these that every reader takes.
        Value::Double(number) if !number.is_finite() => text(&number.to_string()),
        Value::Double(number) => any_value::Value::DoubleValue(*number),
        Value::Bool(truth) => any_value::Value::BoolValue(*truth),
        Value::Texts(texts) => any_value::Value::ArrayValue(ArrayValue {
            values: texts.iter().map(|value| AnyValue { value: Some(text(value)) }).collect(),
        }),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

#[cfg(test)]
#[path = "otlp_tests.rs"]
mod tests;
