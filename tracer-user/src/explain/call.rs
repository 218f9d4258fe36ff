//! One span, and how it came to its parent.

use crate::causality::{Hearing, Verdict};
use crate::trace::{Kind, Span, SpanId, Value};

use super::reason::Reason;
use super::story::Story;

/// What is above a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Above<'a> {
    /// A span of this recording: how it was found, and how sure that is.
    Span(&'a str, f64),
    /// A span that another tracer has: the request's headers name it.
    Outside,
    /// Of a request: whoever sent it was not seen.
    UnseenCaller,
    /// Of a call: nothing.
    Nothing(Reason),
}

impl Story {
    /// What is above a span.
    pub(super) fn above<'a>(&self, span: &'a Span) -> Above<'a> {
        let method = text(span, "tracer.parent.method").unwrap_or("unknown");
        match (span.parent, span.kind) {
            (Some(parent), _) if self.span(parent).is_some() => {
                Above::Span(method, confidence(span))
            }
            (Some(_), _) => Above::Outside,
            (None, Kind::Server | Kind::Consumer) => Above::UnseenCaller,
            (None, _) => Above::Nothing(Reason::of(self.hearing(span.span_id))),
        }
    }

    /// What was heard of a call, if its parent is a matter of evidence.
    pub(super) fn hearing(&self, call: SpanId) -> Option<&Hearing<SpanId>> {
        self.hearings.get(&call)
    }
}

/// Method and path: what tells requests of one route apart.
pub(super) fn target(span: &Span) -> String {
    let path = match (text(span, "url.path"), text(span, "url.full")) {
        (Some(path), _) => Some(path),
        (None, Some(url)) => url
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
            .or(Some(url)),
        (None, None) => None,
    };
    let method = text(span, "http.request.method");
    match method.zip(path) {
        Some((method, path)) => format!("{method} {path}"),
        None => span.name.clone(),
    }
}

/// What became of a testimony, for people. `is_parent`: it named the request that is the parent.
pub(super) fn remark(verdict: Verdict, is_parent: bool, min_confidence: f64) -> String {
    match verdict {
        Verdict::Decides => "decides".into(),
        Verdict::Outweighed if is_parent => "agrees".into(),
        Verdict::Outweighed => "contradicts".into(),
        Verdict::TooWeak => format!("not sure enough: {min_confidence} is asked for"),
        Verdict::Excluded => "not one of those that a stronger witness named".into(),
        Verdict::Impossible => "cannot be: it began later, or is the call's other end".into(),
        Verdict::OtherTrace => "cannot be: its headers name another trace than the call's".into(),
    }
}

/// The same as one word.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Decides => "decides",
        Verdict::Outweighed => "outweighed",
        Verdict::TooWeak => "too_weak",
        Verdict::Excluded => "excluded",
        Verdict::Impossible => "impossible",
        Verdict::OtherTrace => "other_trace",
    }
}

/// An attribute that is a text.
pub(super) fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    span.attributes.iter().find_map(|(name, value)| match value {
        Value::Text(text) if name == key => Some(&**text),
        _ => None,
    })
}

fn confidence(span: &Span) -> f64 {
    let found = span.attributes.iter().find_map(|(name, value)| match value {
        Value::Double(number) if name == "tracer.parent.confidence" => Some(*number),
        _ => None,
    });
    found.unwrap_or(0.0)
}
