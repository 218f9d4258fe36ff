//! Traces: ids, and the spans that exporters take.

mod span;

pub use span::{Endpoint, Kind, Link, Resource, Span, SpanId, Status, TraceId, Value};
