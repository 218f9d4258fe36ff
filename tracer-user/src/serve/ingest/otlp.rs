//! POST /v1/traces: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span as OtlpSpan, Status as OtlpStatus};
use prost::Message as _;

use super::body::{Body, Form, Refusal};
use super::value::{Attributes, attributes, text};
use crate::serve::Sources;
use crate::serve::blocking;
use crate::trace::{Endpoint, Event, Kind, Link, Resource, Span, SpanId, Status, TraceId, Value};

/// What the specification has for a service that does not say its name.
const NAMELESS: &str = "unknown_service";

/// Takes the spans of a request; those without a valid id are told as rejected.
pub(super) async fn take(State(sources): State<Sources>, request: Request) -> Response {
    let body = match Body::read(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal.response(),
    };
    let form = body.form;
    let taken = blocking(move || {
        let (spans, rejected) = spans(decode(&body)?);
        sources.take("otlp", &spans, rejected);
        Ok(rejected)
    });
    match taken.await {
        Ok(Ok(rejected)) => answer(form, rejected),
        Ok(Err(refusal)) => Refusal::response(refusal),
        Err(failed) => failed,
    }
}

fn answer(form: Form, rejected: u64) -> Response {
    let partial_success = (rejected > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: "ids that are no ids".into(),
    });
    let answer = ExportTraceServiceResponse { partial_success };
    match form {
        Form::Protobuf => {
            ([(CONTENT_TYPE, "application/x-protobuf")], answer.encode_to_vec()).into_response()
        }
        Form::Json => axum::Json(answer).into_response(),
    }
}

fn decode(body: &Body) -> Result<ExportTraceServiceRequest, Refusal> {
    let bytes = body.unpack()?;
    match body.form {
        Form::Protobuf => ExportTraceServiceRequest::decode(bytes).map_err(Refusal::bad),
        Form::Json => serde_json::from_slice(&bytes).map_err(Refusal::bad),
    }
}

/// The spans, and how many have no valid id.
pub(super) fn spans(request: ExportTraceServiceRequest) -> (Vec<Arc<Span>>, u64) {
    let (mut spans, mut rejected) = (vec![], 0);
    for of_resource in request.resource_spans {
        let mut attributes = attributes(of_resource.resource.unwrap_or_default().attributes);
        let service = text(&attributes, "service.name").filter(|name| !name.is_empty());
        let service = service.unwrap_or(NAMELESS).into();
        attributes.retain(|(key, _)| key != "service.name");
        let resource = Arc::new(Resource { service, attributes });
        for of_scope in of_resource.scope_spans {
            let scope = of_scope.scope.map(|scope| scope.name).filter(|name| !name.is_empty());
            for span in of_scope.spans {
                match convert(span, scope.as_deref(), &resource) {
                    Some(span) => spans.push(Arc::new(span)),
                    None => rejected += 1,
                }
            }
        }
    }
    (spans, rejected)
}

fn convert(span: OtlpSpan, scope: Option<&str>, resource: &Arc<Resource>) -> Option<Span> {
    let kind = match span.kind() {
        SpanKind::Client => Kind::Client,
        SpanKind::Server => Kind::Server,
        SpanKind::Producer => Kind::Producer,
        SpanKind::Consumer => Kind::Consumer,
        SpanKind::Internal | SpanKind::Unspecified => Kind::Internal,
    };
    let mut all = attributes(span.attributes);
    if let Some(scope) = scope {
        all.push(("otel.scope.name".into(), scope.to_owned().into()));
    }
    let link = |link: opentelemetry_proto::tonic::trace::v1::span::Link| {
        let (trace_id, span_id) = (trace_id(&link.trace_id)?, span_id(&link.span_id)?);
        Some(Link { trace_id, span_id, attributes: attributes(link.attributes) })
    };
    let event = |event: opentelemetry_proto::tonic::trace::v1::span::Event| Event {
        time: event.time_unix_nano,
        name: event.name,
        attributes: attributes(event.attributes),
    };
    let parent = span_id(&span.parent_span_id);
    if parent.is_none() && !span.parent_span_id.iter().all(|&byte| byte == 0) {
        return None;
    }
    Some(Span {
        trace_id: trace_id(&span.trace_id)?,
        span_id: span_id(&span.span_id)?,
        parent,
        trace_state: Some(span.trace_state).filter(|state| !state.is_empty()),
        kind,
        name: span.name,
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano.max(span.start_time_unix_nano),
        status: status(span.status),
        events: span.events.into_iter().map(event).collect(),
        links: span.links.into_iter().filter_map(link).collect(),
        resource: resource.clone(),
        local: Endpoint { service: Some(resource.service.clone()), address: None, port: 0 },
        remote: remote(&all),
        attributes: all,
    })
}

fn status(status: Option<OtlpStatus>) -> Status {
    match status {
        Some(status) if status.code() == StatusCode::Error => Status::Error(
            Some(status.message.into()).filter(|text: &std::borrow::Cow<'_, str>| !text.is_empty()),
        ),
        _ => Status::Unset,
    }
}

/// The other end, as far as attributes tell.
fn remote(all: &Attributes) -> Endpoint {
    let port = all.iter().find_map(|(key, value)| match value {
        Value::Int(port) if key == "network.peer.port" => u16::try_from(*port).ok(),
        _ => None,
    });
    Endpoint {
        service: text(all, "peer.service").map(Into::into),
        address: text(all, "network.peer.address").and_then(|address| address.parse().ok()),
        port: port.unwrap_or(0),
    }
}

fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    bytes.try_into().ok().filter(|id| *id != [0; 16]).map(TraceId)
}

fn span_id(bytes: &[u8]) -> Option<SpanId> {
    bytes.try_into().ok().filter(|id| *id != [0; 8]).map(SpanId)
}
