//! The finished span, in OpenTelemetry's terms.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TraceId(pub [u8; 16]);

/// 8 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpanId(pub [u8; 8]);

/// What a span describes. The tracer itself makes the first two; the others come from services that
/// trace themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The side that sent the request.
    Client,
    /// The side that answered it.
    Server,
    /// The sending of a message that nobody answers.
    Producer,
    /// Its receiving.
    Consumer,
    /// Work inside a process.
    Internal,
}

impl Kind {
    /// In capitals, as Zipkin and people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Client => "CLIENT",
            Kind::Server => "SERVER",
            Kind::Producer => "PRODUCER",
            Kind::Consumer => "CONSUMER",
            Kind::Internal => "INTERNAL",
        }
    }
}

/// OpenTelemetry's span status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Nothing went wrong as far as this side is to blame.
    Unset,
    /// It failed; with a description where the attributes do not say it all.
    Error(Option<Cow<'static, str>>),
}

/// An attribute's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Int(i64),
    /// A fraction.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// Several texts.
    Texts(Vec<String>),
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Service that is known to be there.
    pub service: Option<Arc<str>>,
    /// Its address, as the span's own side saw it; `None` for a unix socket.
    pub address: Option<IpAddr>,
    /// Its port; 0 where there is none.
    pub port: u16,
}

/// What a span's process is; one value is shared by all its spans.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// `service.name`.
    pub service: Arc<str>,
    /// The other resource attributes.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
}

/// Another span, of this or another trace, that has to do with this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// What it has to do with it.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
}

/// Something that happened in a span at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Nanoseconds since the Unix epoch.
    pub time: u64,
    /// What happened.
    pub name: String,
    /// More of it.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
}

/// A finished span.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// Its parent's id, of the same trace.
    pub parent: Option<SpanId>,
    /// W3C `tracestate` as it came with the request.
    pub trace_state: Option<String>,
    /// Side.
    pub kind: Kind,
    /// `METHOD /route`.
    pub name: String,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// The same; never before `start`.
    pub end: u64,
    /// Outcome.
    pub status: Status,
    /// By OpenTelemetry's semantic conventions.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
    /// In the order in which they were told; the tracer itself makes none.
    pub events: Vec<Event>,
    /// Other spans.
    pub links: Vec<Link>,
    /// The process that the span is about.
    pub resource: Arc<Resource>,
    /// This side's end of the connection.
    pub local: Endpoint,
    /// The other side's.
    pub remote: Endpoint,
}

/// The attribute of a span that was kept for others as well: how likely its trace was to be kept, from
/// 0 to 1. Formats with a trace state have the same there, as OpenTelemetry's `ot=th:`.
pub const SAMPLED: &str = "tracer.sampling.probability";

/// The attribute of a span that stands for something else than one request, and says for what.
pub const COVERS: &str = "tracer.span.covers";

impl Span {
    /// For how many spans it stands, itself included.
    #[must_use]
    pub fn weight(&self) -> f64 {
        match self.attribute(SAMPLED) {
            Some(Value::Double(share)) if *share > 0.0 && *share <= 1.0 => 1.0 / share,
            _ => 1.0,
        }
    }

    /// Whether it failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.status != Status::Unset
    }

    /// What Zipkin's tag `error` says: as much as is known of why it failed, or `true`. `None` if it
    /// did not fail.
    #[must_use]
    pub fn error_text(&self) -> Option<Cow<'_, str>> {
        let Status::Error(description) = &self.status else { return None };
        let attribute = |key: &&str| self.attribute(key).map(Value::text);
        Some(match description {
            Some(text) if !text.is_empty() => Cow::Borrowed(text),
            _ => ["error.type", "http.response.status_code"]
                .iter()
                .find_map(attribute)
                .unwrap_or("true".into()),
        })
    }

    /// The value of an attribute of its own, not one of its resource.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }
}

impl Value {
    /// As formats without types write it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Int(number) => number.to_string().into(),
            Value::Double(number) => number.to_string().into(),
            Value::Bool(truth) => truth.to_string().into(),
            Value::Texts(texts) => texts.join(",").into(),
        }
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Double(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}
