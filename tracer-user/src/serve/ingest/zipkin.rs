//! POST /api/v2/spans: <https://zipkin.io/zipkin-api/#/default/post_spans>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::body::{Body, Form, Refusal};
use crate::serve::{Sources, blocking};
use crate::trace::{Endpoint, Event, Kind, Resource, Span, SpanId, Status, TraceId};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ZipkinSpan {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    /// Microseconds since the Unix epoch.
    timestamp: Option<u64>,
    duration: Option<u64>,
    #[serde(default)]
    local_endpoint: Option<ZipkinEndpoint>,
    #[serde(default)]
    remote_endpoint: Option<ZipkinEndpoint>,
    #[serde(default)]
    annotations: Option<Vec<Annotation>>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ZipkinEndpoint {
    service_name: Option<String>,
    ipv4: Option<IpAddr>,
    ipv6: Option<IpAddr>,
    port: Option<u16>,
}

#[derive(Deserialize)]
struct Annotation {
    timestamp: u64,
    value: String,
}

/// Takes a list of spans, all or none, as Zipkin does.
pub(super) async fn take(State(sources): State<Sources>, request: Request) -> Response {
    let body = match Body::read(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal.response(),
    };
    let taken = blocking(move || {
        let list: Vec<ZipkinSpan> = match body.form {
            Form::Json => serde_json::from_slice(&body.unpack()?).map_err(Refusal::bad)?,
            Form::Protobuf => return Err(Refusal::bad("Zipkin's spans are taken as JSON")),
        };
        let spans = spans(list).map_err(Refusal::bad)?;
        sources.take("zipkin", &spans, 0);
        Ok(())
    });
    match taken.await {
        Ok(Ok(())) => StatusCode::ACCEPTED.into_response(),
        Ok(Err(refusal)) => refusal.response(),
        Err(failed) => failed,
    }
}

pub(super) fn spans(list: Vec<ZipkinSpan>) -> Result<Vec<Arc<Span>>, &'static str> {
    // Processes share one resource among their spans, as elsewhere.
    let mut resources: BTreeMap<String, Arc<Resource>> = BTreeMap::new();
    let mut resource = |service: &str| {
        let new = || Arc::new(Resource { service: service.into(), attributes: vec![] });
        resources.entry(service.to_owned()).or_insert_with(new).clone()
    };
    list.into_iter().map(|span| convert(span, &mut resource).map(Arc::new)).collect()
}

fn convert(
    span: ZipkinSpan,
    resource: &mut impl FnMut(&str) -> Arc<Resource>,
) -> Result<Span, &'static str> {
    let local = span.local_endpoint.unwrap_or_default();
    let service = local.service_name.as_deref().filter(|name| !name.is_empty());
    let resource = resource(service.unwrap_or("unknown"));
    let start = span.timestamp.unwrap_or(0).saturating_mul(1000);
    let kind = match span.kind.as_deref() {
        Some("CLIENT") => Kind::Client,
        Some("SERVER") => Kind::Server,
        Some("PRODUCER") => Kind::Producer,
        Some("CONSUMER") => Kind::Consumer,
        None => Kind::Internal,
        Some(_) => return Err("unknown kind"),
    };
    let mut tags = span.tags.unwrap_or_default();
    let error = tags.remove("error").map(|text| match text.as_str() {
        "" | "true" => Status::Error(None),
        _ => Status::Error(Some(Cow::Owned(text))),
    });
    let event = |annotation: Annotation| Event {
        time: annotation.timestamp.saturating_mul(1000),
        name: annotation.value,
        attributes: vec![],
    };
    Ok(Span {
        trace_id: trace_id(&span.trace_id).ok_or("invalid traceId")?,
        span_id: span_id(&span.id).ok_or("invalid id")?,
        parent: match span.parent_id.as_deref() {
            None | Some("") => None,
            Some(id) => Some(span_id(id).ok_or("invalid parentId")?),
        },
        trace_state: None,
        kind,
        name: span.name.unwrap_or_default(),
        start,
        end: start.saturating_add(span.duration.unwrap_or(0).saturating_mul(1000)),
        status: error.unwrap_or(Status::Unset),
        attributes: tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
        events: span.annotations.unwrap_or_default().into_iter().map(event).collect(),
        links: vec![],
        local: endpoint(&local, Some(resource.service.clone())),
        remote: span.remote_endpoint.as_ref().map_or_else(
            || endpoint(&ZipkinEndpoint::default(), None),
            |remote| endpoint(remote, remote.service_name.as_deref().map(Into::into)),
        ),
        resource,
    })
}

fn endpoint(of: &ZipkinEndpoint, service: Option<Arc<str>>) -> Endpoint {
    let service = service.filter(|name| !name.is_empty());
    Endpoint { service, address: of.ipv6.or(of.ipv4), port: of.port.unwrap_or(0) }
}

/// 16 or 32 digits, or fewer, where zeroes before them are left out.
fn trace_id(text: &str) -> Option<TraceId> {
    digits(text, 32).map(|number| TraceId(number.to_be_bytes()))
}

fn span_id(text: &str) -> Option<SpanId> {
    digits(text, 16).and_then(|number| Some(SpanId(u64::try_from(number).ok()?.to_be_bytes())))
}

fn digits(text: &str, most: usize) -> Option<u128> {
    let valid =
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|number| valid && *number != 0)
}
