//! HTTP exchanges as spans, by OpenTelemetry's semantic conventions for HTTP (stable since 1.23).

use std::borrow::Cow;
use std::sync::Arc;

use crate::connection::Address;
use crate::exchange::{Exchange, Incomplete, Reasons, Side};
use crate::protocol::backing::Call;
use crate::protocol::http1::{RequestHead, Version};
use crate::protocol::http2::Rpc;
use crate::protocol::route::span_name;

use super::api::Asked;
use super::placing::Placed;
use super::{Endpoint, Kind, Namer, Resource, Span, Status, Value, backing, rpc, tls, websocket};

/// Builds the span of one side of an exchange. `peer` is the service at the other end, if known.
#[must_use]
pub fn span(
    placed: &Placed,
    resource: Arc<Resource>,
    peer: Option<Arc<str>>,
    namer: &mut Namer,
) -> Span {
    let exchange = &*placed.exchange;
    let call = exchange.call.as_deref();
    let asked = Asked::of(exchange, namer);
    let peer = peer
        .or_else(|| call.filter(|call| is_client(exchange, call)).map(backing::service))
        .or_else(|| asked.as_ref().map(Asked::service));
    let mut attributes = vec![];
    let mut put = |key: &'static str, value: Value| attributes.push((Cow::Borrowed(key), value));
    let name = match &exchange.request {
        Some(request) if let Some(rpc) = &exchange.rpc => {
            rpc::method(request, &mut put);
            let end = answering(exchange);
            let (host, port) = authority(request, end, scheme(exchange));
            put_server(host, port, end, &mut put);
            put_client(exchange, &mut put);
            rpc::facts(rpc, &mut put);
            rpc::name(request)
        }
        Some(request) => {
            let answering = match exchange.side {
                Side::Server => Some(&resource.service),
                Side::Client => peer.as_ref(),
            };
            let route = match request.target.is_empty() || asked.is_some() {
                true => String::new().into(),
                false => namer.route(answering.unwrap_or(&resource.service), request.path()),
            };
            if request.method.as_str().is_empty() {
                // It is behind a part of HPACK's table that was not seen.
            } else if request.method.is_known() {
                put("http.request.method", request.method.as_str().to_owned().into());
            } else {
                put("http.request.method", "_OTHER".into());
                put("http.request.method_original", request.method.as_str().to_owned().into());
            }
            let name = match &asked {
                Some(asked) => asked.name(),
                None => span_name(&request.method, &route),
            };
            match exchange.side {
                Side::Server => server(exchange, request, &route, &mut put),
                Side::Client => client(exchange, request, &mut put),
            }
            let status = exchange.response.as_ref().map(|response| response.status);
            asked.iter().for_each(|asked| asked.facts(status, &mut put));
            name
        }
        None if let Some(call) = &exchange.call => {
            let end = answering(exchange);
            backing::facts(call, exchange, &mut put);
            let (host, port) = backing::authority(end);
            put_server(host, port, end, &mut put);
            put_client(exchange, &mut put);
            backing::name(call)
        }
        None if let Some(sealed) = &exchange.sealed => {
            let end = answering(exchange);
            tls::facts(sealed, &mut put);
            let (host, port) = tls::authority(sealed, end);
            put_server(host, port, end, &mut put);
            put_client(exchange, &mut put);
            tls::NAME.to_owned()
        }
        None => "HTTP".to_owned(),
    };
    if let Some(remote) = exchange.remote.as_ref().filter(|remote| **remote != nameless()) {
        put("network.peer.address", remote.to_string().into());
        put_port("network.peer.port", remote.port(), &mut put);
    }
    if matches!(exchange.local, Some(Address::Unix(_))) {
        put("network.transport", "unix".into());
    } else if exchange.datagrams {
        put("network.transport", "udp".into());
    }
    let version = match &exchange.request {
        // That of WebSocket is another.
        Some(_) if exchange.websocket.is_some() => None,
        Some(request) => Some(request.version),
        None => exchange.stream.map(|_| Version::Http2),
    };
    if let Some(version) = version {
        put("network.protocol.version", version.as_str().into());
    }
    if exchange.sealed.is_none() && call.is_none() {
        put("http.request.body.size", size(exchange.request_body));
    }
    let code = exchange.response.as_ref().map(|response| response.status);
    if let Some(code) = code {
        put("http.response.status_code", i64::from(code).into());
        put("http.response.body.size", size(exchange.response_body));
    }
    let duration = exchange.ended.time.saturating_sub(exchange.started.time);
    let status = exchange.rpc.as_ref().and_then(|rpc| rpc::status(rpc, exchange.reset, duration));
    if let Some(status) = status {
        put("rpc.response.status_code", Rpc::status_name(status).into());
    }
    let talk = exchange.websocket.as_deref();
    if let Some(talk) = talk {
        websocket::facts(talk, &mut put);
    }
    let error = match status {
        None if call.is_some() => backing::error(exchange),
        Some(status) => rpc::error(exchange.side, status),
        None => talk
            .and_then(|talk| websocket::error(exchange.side, talk))
            .or_else(|| error(exchange.side, code, exchange.reset, exchange.incomplete)),
    };
    if let Some(error) = &error {
        put("error.type", error.clone().into());
    }
    if !exchange.incomplete.is_empty() {
        put("tracer.incomplete", exchange.incomplete.to_string().into());
    }
    if !placed.below.is_empty() {
        put("tracer.trace.incomplete", placed.below.to_string().into());
    }
    if let Some((method, confidence)) = placed.edge {
        put("tracer.parent.method", method.into());
        put("tracer.parent.confidence", ((confidence * 1e4).round() / 1e4).into());
    }
    if placed.instrumented {
        put("tracer.instrumented", true.into());
    }
    if let Some(span) = placed.same_request_as {
        put("tracer.same_request_as", span.to_string().into());
    }
    if let Some(name) = placed.context.as_ref().and_then(|context| context.name.as_ref()) {
        put("sw8.trace_id", name.clone().into());
    }
    if let (Side::Client, Some(peer)) = (exchange.side, &peer) {
        put("peer.service", peer.to_string().into());
    }
    Span {
        trace_id: placed.trace_id,
        span_id: placed.span_id,
        parent: placed.parent,
        trace_state: placed.context.as_ref().and_then(|context| context.trace_state.clone()),
        kind: match (call, exchange.side) {
            (Some(call), side) => backing::kind(call, side),
            (None, Side::Client) => Kind::Client,
            (None, Side::Server) => Kind::Server,
        },
        name,
        start: placed.clock.unix(placed.start),
        end: placed.clock.unix(placed.end),
        status: if error.is_some() { Status::Error(None) } else { Status::Unset },
        attributes,
        events: exchange
            .rpc
            .as_ref()
            .map(|rpc| rpc::messages(rpc, exchange.side, |at| placed.clock.unix(at.time)))
            .unwrap_or_default(),
        links: placed.links.iter().cloned().chain(backing::senders(exchange)).collect(),
        local: endpoint(Some(resource.service.clone()), exchange.local.as_ref()),
        remote: endpoint(peer, exchange.remote.as_ref()),
        resource,
    }
}

/// Names the answering end by its address, where nobody knows whether it has the name by which the
/// client called it: `host`, which is kept as the header that it came in.
pub fn by_address(span: &mut Span, host: Option<&str>) {
    let end = if span.kind == Kind::Server { &span.local } else { &span.remote };
    let Some(address) = end.address else { return };
    for (key, value) in &mut span.attributes {
        match &**key {
            "server.address" => *value = address.to_string().into(),
            "server.port" => *value = i64::from(end.port).into(),
            _ => {}
        }
    }
    if let Some(host) = host {
        let header = Value::Texts(vec![host.to_owned()]);
        span.attributes.push(("http.request.header.host".into(), header));
    }
}

fn server(
    exchange: &Exchange,
    request: &RequestHead,
    route: &str,
    put: &mut impl FnMut(&'static str, Value),
) {
    let scheme = scheme(exchange);
    put("url.scheme", scheme.name.into());
    if !request.target.is_empty() {
        put("url.path", request.path().to_owned().into());
    }
    if let Some(query) = request.query() {
        put("url.query", query.to_owned().into());
    }
    if !route.is_empty() {
        put("http.route", route.to_owned().into());
    }
    let (host, port) = authority(request, exchange.local.as_ref(), scheme);
    put_server(host, port, exchange.local.as_ref(), put);
    put_client(exchange, put);
    if let Some(agent) = &request.user_agent {
        put("user_agent.original", agent.clone().into());
    }
}

fn client(exchange: &Exchange, request: &RequestHead, put: &mut impl FnMut(&'static str, Value)) {
    let scheme = scheme(exchange);
    let (host, port) = authority(request, exchange.remote.as_ref(), scheme);
    let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
    let shown = if port == scheme.port { String::new() } else { format!(":{port}") };
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    if !request.target.is_empty() {
        let scheme = scheme.name;
        put("url.full", format!("{scheme}://{bracketed}{shown}{}{query}", request.path()).into());
    }
    put_server(host, port, exchange.remote.as_ref(), put);
}

/// The end that answers, or that has delivered a message.
fn answering(exchange: &Exchange) -> Option<&Address> {
    match exchange.side {
        Side::Server if !is_delivery(exchange) => exchange.local.as_ref(),
        _ => exchange.remote.as_ref(),
    }
}

/// A message has come that this process had not asked for.
fn is_delivery(exchange: &Exchange) -> bool {
    exchange.call.as_ref().is_some_and(|call| backing::is_delivery(call))
}

/// The process is a client of the backing service.
fn is_client(exchange: &Exchange, call: &Call) -> bool {
    exchange.side == Side::Client || backing::is_delivery(call)
}

/// Who asks, on the side that answers.
fn put_client(exchange: &Exchange, put: &mut impl FnMut(&'static str, Value)) {
    if let (Side::Server, Some(Address::Inet(address, port))) = (exchange.side, &exchange.remote)
        && !is_delivery(exchange)
    {
        put("client.address", address.to_string().into());
        put("client.port", i64::from(*port).into());
    }
}

/// The host that the request names; on a unix socket the socket's name, which says more.
fn put_server(
    host: String,
    port: u16,
    end: Option<&Address>,
    put: &mut impl FnMut(&'static str, Value),
) {
    match end {
        Some(Address::Unix(name)) if !name.is_empty() => {
            put("server.address", name.to_string().into());
        }
        _ => {
            put("server.address", host.into());
            put("server.port", i64::from(port).into());
        }
    }
}

fn put_port(key: &'static str, port: Option<u16>, put: &mut impl FnMut(&'static str, Value)) {
    if let Some(port) = port {
        put(key, i64::from(port).into());
    }
}

/// An end of a unix connection that was never bound.
fn nameless() -> Address {
    Address::unix(b"")
}

/// A scheme of URLs, with the port that it stands for (RFC 9110, 4.2).
#[derive(Clone, Copy)]
struct Scheme {
    name: &'static str,
    port: u16,
}

fn scheme(exchange: &Exchange) -> Scheme {
    match exchange.tls {
        true => Scheme { name: "https", port: 443 },
        false => Scheme { name: "http", port: 80 },
    }
}

/// Host and port that the request names, else those of the connection's end that answers.
fn authority(request: &RequestHead, end: Option<&Address>, scheme: Scheme) -> (String, u16) {
    let named = request.host.as_deref().filter(|host| !host.is_empty());
    let Some(named) = named else {
        return end.map_or_else(Default::default, |end| {
            (end.to_string(), end.port().unwrap_or(scheme.port))
        });
    };
    let (host, port) = match named.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().ok())
        }
        _ => (named, None),
    };
    (host.trim_matches(['[', ']']).to_owned(), port.unwrap_or(scheme.port))
}

/// 4xx is the caller's fault, so no error of a server's; no response at all is one of both.
fn error(side: Side, code: Option<u16>, reset: Option<u32>, incomplete: Reasons) -> Option<String> {
    match (side, code) {
        (Side::Client, Some(code)) if code >= 400 => Some(code.to_string()),
        (Side::Server, Some(code)) if code >= 500 => Some(code.to_string()),
        _ if reset.is_some_and(|code| code != 0) => reset.map(rpc::reset_name),
        _ if incomplete.contains(Incomplete::Closed) => Some(Incomplete::Closed.name().to_owned()),
        _ => None,
    }
}

fn endpoint(service: Option<Arc<str>>, end: Option<&Address>) -> Endpoint {
    Endpoint {
        service,
        address: end.and_then(Address::ip),
        port: end.and_then(Address::port).unwrap_or(0),
    }
}

pub(super) fn size(bytes: u64) -> Value {
    Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX))
}
