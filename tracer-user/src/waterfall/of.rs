//! Of the tracer's own spans.

use std::sync::Arc;

use super::{Span, Trace};
use crate::trace::{self, Kind, Value};

impl Trace {
    /// Of the spans of one trace, in any order.
    pub(crate) fn of(spans: &[Arc<trace::Span>]) -> Self {
        let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
        let id = spans.first().map(|span| span.trace_id.to_string()).unwrap_or_default();
        Self { id, spans: spans.iter().map(|span| row(span, first)).collect() }
    }
}

fn row(span: &trace::Span, first: u64) -> Span {
    let text = |key| span.attribute(key).map(|value| value.text().into_owned());
    Span {
        id: span.span_id.to_string(),
        parent: span.parent.map(|parent| parent.to_string()),
        client: matches!(span.kind, Kind::Client | Kind::Producer),
        service: span.resource.service.to_string(),
        name: span.name.clone(),
        start: span.start - first,
        duration: span.end.saturating_sub(span.start),
        failed: span.is_error(),
        outcome: text("http.response.status_code").or(text("error.type")).unwrap_or_default(),
        method: text("tracer.parent.method"),
        confidence: match span.attribute("tracer.parent.confidence") {
            Some(Value::Double(sure)) => Some(*sure),
            _ => None,
        },
    }
}
