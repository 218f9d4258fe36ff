//! What of a span is counted.

use std::sync::Arc;

use crate::trace::{COVERS, Kind, Span, Status, Value};

/// Stands for whoever is not traced and calls a service.
pub(super) const OUTSIDE: &str = "user";

/// One side of an HTTP request.
pub(super) struct Facts {
    pub(super) server: bool,
    pub(super) service: Arc<str>,
    /// The service at the other end, where that is traced, too.
    pub(super) peer: Option<Arc<str>>,
    /// The answering end by its address, as a client calls it.
    pub(super) address: Arc<str>,
    /// The span's name.
    pub(super) name: Arc<str>,
    pub(super) method: Arc<str>,
    pub(super) route: Arc<str>,
    pub(super) status: Option<i64>,
    pub(super) error: Option<Arc<str>>,
    pub(super) failed: bool,
    /// Nanoseconds.
    pub(super) duration: u64,
}

impl Facts {
    /// `None` for a span that is no side of a request.
    pub(super) fn of(span: &Span) -> Option<Self> {
        let is_side = matches!(span.kind, Kind::Client | Kind::Server);
        if !is_side || span.attribute(COVERS).is_some() {
            return None;
        }
        let text = |key| match attribute(span, key)? {
            Value::Text(text) => Some(Arc::<str>::from(&**text)),
            _ => None,
        };
        let number = |key| match attribute(span, key)? {
            Value::Int(number) => Some(*number),
            _ => None,
        };
        let address = match (text("server.address"), number("server.port")) {
            (Some(name), Some(port)) if port != 80 => format!("{name}:{port}").into(),
            (Some(name), _) => name,
            (None, _) => "unknown".into(),
        };
        Some(Self {
            server: span.kind == Kind::Server,
            service: span.resource.service.clone(),
            peer: span.remote.service.clone(),
            address,
            name: span.name.as_str().into(),
            // A gRPC call is a POST (gRPC over HTTP/2), and its route the method that is called.
            method: text("http.request.method")
                .or_else(|| text("rpc.system.name").map(|_| "POST".into()))
                .unwrap_or_default(),
            route: text("http.route").or_else(|| text("rpc.method")).unwrap_or_default(),
            status: number("http.response.status_code"),
            error: text("error.type"),
            failed: matches!(span.status, Status::Error(_)),
            duration: span.end.saturating_sub(span.start),
        })
    }

    pub(super) fn seconds(&self) -> f64 {
        self.duration as f64 / 1e9
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}
