//! What the page's API says, as far as terminal views show it. Text in it comes from traffic.

use serde::Deserialize;

use crate::waterfall;

/// `/ui/map`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Map {
    /// That it covers.
    pub(super) seconds: f64,
    pub(super) nodes: Vec<Node>,
    pub(super) calls: Vec<Call>,
}

/// A service, or a peer of services.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) traced: bool,
    #[serde(flatten)]
    pub(super) red: Red,
    pub(super) routes: Vec<Route>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Route {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) red: Red,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Call {
    pub(super) from: String,
    pub(super) to: String,
}

/// Requests, errors, durations in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Red {
    pub(super) requests: u64,
    pub(super) errors: u64,
    /// A second.
    pub(super) rate: f64,
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
}

/// `/ui/traces`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Traces {
    pub(super) traces: Vec<Short>,
}

/// A trace in short; times in milliseconds, the start since the Unix epoch.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Short {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) name: String,
    pub(super) start: f64,
    pub(super) duration: f64,
    pub(super) spans: u32,
    pub(super) errors: u32,
}

/// `/ui/trace/ID`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Trace {
    pub(super) id: String,
    pub(super) spans: Vec<Span>,
}

/// Times in nanoseconds from the trace's begin.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Span {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) kind: String,
    pub(super) service: String,
    pub(super) name: String,
    pub(super) start: u64,
    pub(super) duration: u64,
    pub(super) error: bool,
    pub(super) attributes: Vec<(String, serde_json::Value)>,
}

impl Trace {
    /// As it is drawn.
    pub(super) fn drawn(&self) -> waterfall::Trace {
        let spans = self.spans.iter().map(Span::drawn).collect();
        waterfall::Trace { id: self.id.clone(), spans }
    }
}

impl Span {
    fn drawn(&self) -> waterfall::Span {
        let code = self.get("http.response.status_code").or_else(|| self.get("error.type"));
        waterfall::Span {
            id: self.id.clone(),
            parent: self.parent.clone(),
            client: matches!(&*self.kind, "CLIENT" | "PRODUCER"),
            service: self.service.clone(),
            name: self.name.clone(),
            start: self.start,
            duration: self.duration,
            failed: self.error,
            outcome: code.unwrap_or_default(),
            method: self.get("tracer.parent.method"),
            confidence: self.get("tracer.parent.confidence").and_then(|it| it.parse().ok()),
        }
    }

    /// An attribute's value as text.
    fn get(&self, key: &str) -> Option<String> {
        let (_, value) = self.attributes.iter().find(|(name, _)| name == key)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}
