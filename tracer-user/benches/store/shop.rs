//! Spans of a shop, with the attributes that the tracer gives to spans.

use std::sync::Arc;

use tracer_user::exchange::mix;
use tracer_user::trace::{Endpoint, Kind, Resource, Span, SpanId, Status, TraceId, Value};

/// Of a trace: service, its caller's span, route.
const CALLS: [(&str, usize, &str, &str); 6] = [
    ("storefront", 0, "GET", "/checkout/{id}"),
    ("cart", 0, "GET", "/cart/{id}"),
    ("stock", 1, "GET", "/stock/{item}"),
    ("stock", 1, "PUT", "/stock/{item}"),
    ("payment", 1, "POST", "/payments/{id}"),
    ("mailer", 0, "POST", "/mails"),
];
const EVERY: u64 = 500_000;
const START: u64 = 1_790_000_000_000_000_000;

/// Makes traces of eleven spans, one after the other.
pub(crate) struct Shop {
    trace: u64,
    resources: Vec<Arc<Resource>>,
}

/// The id of a trace.
pub(crate) fn trace(number: u64) -> TraceId {
    let mut id = [0; 16];
    let (high, low) = id.split_at_mut(8);
    high.copy_from_slice(&mix(number + 1).to_be_bytes());
    low.copy_from_slice(&mix(number ^ 0x5555).to_be_bytes());
    TraceId(id)
}

/// What the trace with about the `span`th span is about.
pub(crate) fn order(span: u64) -> String {
    format!("{:012x}", mix(span / 11) >> 16)
}

fn resource(service: &str, pid: i64) -> Arc<Resource> {
    let text = |key: &'static str, value: String| (key.into(), Value::Text(value.into()));
    Arc::new(Resource {
        service: service.into(),
        attributes: vec![
            ("process.pid".into(), Value::Int(pid)),
            text("process.executable.name", "python3.11".into()),
            text("process.executable.path", "/usr/bin/python3.11".into()),
            text("process.command_line", format!("python3 -m {service} --port 80{pid}")),
            text("host.name", "shop-host-1".into()),
            text("host.id", "d9428888122b4a1ab2c6c2e3ab1e6f9a".into()),
            text("os.type", "linux".into()),
            text("telemetry.sdk.name", "tracer".into()),
        ],
    })
}

impl Default for Shop {
    fn default() -> Self {
        let services = CALLS.iter().map(|(service, ..)| *service).chain(["nightly-report"]);
        Self { trace: 0, resources: services.zip(100..).map(|(s, pid)| resource(s, pid)).collect() }
    }
}

impl Shop {
    /// About so many.
    pub(crate) fn spans(&mut self, count: u64) -> Vec<Arc<Span>> {
        let mut spans = vec![];
        while (spans.len() as u64) < count {
            self.one(&mut spans);
        }
        spans
    }

    fn one(&mut self, spans: &mut Vec<Arc<Span>>) {
        let number = self.trace;
        self.trace += 1;
        let id = format!("{:012x}", mix(number) >> 16);
        let mut random = number;
        let mut next = move |below: u64| {
            random = mix(random.wrapping_add(0x9e37_79b9_7f4a_7c15));
            random % below
        };
        let start = START + number * 1_000_000;
        let failed = next(50) == 0;
        let slow = if next(1000) == 0 { 500_000_000 } else { 0 };
        for (at, (_, caller, method, route)) in CALLS.into_iter().enumerate() {
            let path = route.replace("{id}", &id).replace("{item}", &format!("item-{}", next(400)));
            let rare = at == 5 && number % (EVERY / 11) == 7;
            let service = if rare { 6 } else { at };
            let (Some(own), Some(callers)) =
                (self.resources.get(service), self.resources.get(caller))
            else {
                continue;
            };
            let begin = start + at as u64 * 3_000_000 + next(200_000);
            let took = 40_000_000 / (at as u64 + 1) + next(3_000_000) + slow;
            let shape = Shape {
                trace: number,
                at: at as u64,
                caller: caller as u64,
                name: format!("{method} {route}"),
                method,
                path,
                port: 30_000 + next(28_000) as i64,
                status: if failed && at != 5 { 503 } else { 200 },
            };
            if at > 0 {
                let peer = own.service.clone();
                spans.push(shape.span(Kind::Client, callers, Some(peer), begin, took + 300_000));
            }
            spans.push(shape.span(Kind::Server, own, None, begin + 100_000, took));
        }
    }
}

struct Shape {
    trace: u64,
    at: u64,
    caller: u64,
    name: String,
    method: &'static str,
    path: String,
    port: i64,
    status: i64,
}

impl Shape {
    fn id(&self, at: u64, kind: Kind) -> SpanId {
        SpanId(mix(self.trace * 64 + at * 2 + u64::from(kind == Kind::Client)).max(1).to_be_bytes())
    }

    fn span(
        &self,
        kind: Kind,
        own: &Arc<Resource>,
        peer: Option<Arc<str>>,
        start: u64,
        took: u64,
    ) -> Arc<Span> {
        let server = kind == Kind::Server;
        let mut attributes = vec![("http.request.method".into(), Value::from(self.method))];
        let mut put = |key: &'static str, value: Value| attributes.push((key.into(), value));
        let called = peer.as_deref().unwrap_or(&own.service).to_owned();
        if server {
            put("url.scheme", "http".into());
            put("url.path", self.path.clone().into());
            put("http.route", self.name.split(' ').nth(1).unwrap_or_default().to_owned().into());
            put("client.address", "127.0.0.1".into());
            put("client.port", self.port.into());
            put("user_agent.original", "python-requests/2.32.3".into());
        } else {
            put("url.full", format!("http://{called}:8080{}", self.path).into());
        }
        put("server.address", called.into());
        put("server.port", 8080_i64.into());
        put("network.peer.address", "127.0.0.1".into());
        put("network.peer.port", if server { self.port } else { 8080 }.into());
        put("network.protocol.version", "1.1".into());
        put("http.request.body.size", 0_i64.into());
        put("http.response.status_code", self.status.into());
        put("http.response.body.size", (self.port % 2000).into());
        if self.status >= 500 {
            put("error.type", self.status.to_string().into());
        }
        put("tracer.parent.method", if server { "pair" } else { "thread" }.into());
        put("tracer.parent.confidence", if server { 1.0 } else { 0.9984 }.into());
        if let Some(peer) = &peer {
            put("peer.service", peer.to_string().into());
        }
        let parent = match (server, self.at) {
            (true, 0) => None,
            (true, at) => Some(self.id(at, Kind::Client)),
            (false, _) => Some(self.id(self.caller, Kind::Server)),
        };
        let end = |service, port| Endpoint { service, address: Some([127, 0, 0, 1].into()), port };
        Arc::new(Span {
            trace_id: trace(self.trace),
            span_id: self.id(self.at, kind),
            parent,
            trace_state: None,
            kind,
            name: self.name.clone(),
            start,
            end: start + took,
            status: if self.status >= 500 { Status::Error(None) } else { Status::Unset },
            attributes,
            events: vec![],
            links: vec![],
            local: end(Some(own.service.clone()), if server { 8080 } else { self.port as u16 }),
            remote: end(peer, if server { self.port as u16 } else { 8080 }),
            resource: own.clone(),
        })
    }
}
