//! One line a span, for people.
//!
//! ```text
//! 2026-11-21T09:00:37.123456Z SERVER shop             GET /cart/{id}                200     12.345ms trace=… span=… parent=… (same-thread 0.98)
//! ```

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use crate::trace::{Span, Status, Value};
use crate::waterfall::printable;

/// Writes a span's line, with its line feed.
pub(super) fn line(span: &Span, out: &mut String) {
    let time = humantime::format_rfc3339_micros(UNIX_EPOCH + Duration::from_nanos(span.start));
    let kind = span.kind.name();
    let status = attribute(span, "http.response.status_code").unwrap_or_else(|| "-".into());
    let mark = match span.status {
        Status::Unset => "",
        Status::Error(_) => "!",
    };
    let status = format!("{status}{mark}");
    let millis = span.end.saturating_sub(span.start) as f64 / 1e6;
    let service = printable(&span.resource.service);
    let name = printable(&span.name);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "{time} {kind} {service:<16} {name:<28} {status:<4} {millis:>9.3}ms trace={} span={}",
        span.trace_id, span.span_id
    );
    let _ = match span.parent {
        None => write!(out, " root"),
        Some(parent) => write!(out, " parent={parent}"),
    };
    if let Some(method) = attribute(span, "tracer.parent.method") {
        let _ = match attribute(span, "tracer.parent.confidence") {
            Some(confidence) => write!(out, " ({method} {confidence})"),
            None => write!(out, " ({method})"),
        };
    }
    if let Status::Error(Some(description)) = &span.status {
        let _ = write!(out, " {}", printable(description));
    }
    out.push('\n');
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let (_, value) = span.attributes.iter().find(|(name, _)| name == key)?;
    Some(match value {
        Value::Text(text) => printable(text),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => format!("{number:.2}"),
        Value::Bool(truth) => truth.to_string(),
        Value::Texts(texts) => printable(&texts.join(",")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::span;
    use super::*;
    use crate::trace::Kind;

    #[test]
    fn a_line_says_it_all() {
        let mut out = String::new();
        line(&span(1), &mut out);
        let mut root = span(2);
        root.parent = None;
        root.kind = Kind::Client;
        root.status = Status::Unset;
        root.attributes.clear();
        line(&root, &mut out);
        assert_eq!(
            out,
            "2023-11-14T22:13:20.000001Z SERVER shop             GET /cart/{id}               500!     \
             1.500ms trace=000000000000000000000000000000aa span=0000000000000001 \
             parent=00000000000000bb (header 0.98)\n\
             2023-11-14T22:13:20.000002Z CLIENT shop             GET /cart/{id}               -        \
             1.500ms trace=000000000000000000000000000000aa span=0000000000000002 root\n"
        );
    }

    #[test]
    fn terminals_are_not_steered() {
        let mut hostile = span(1);
        hostile.name = "GET /\x1b[2J\nfake\u{9b}".into();
        let mut out = String::new();
        line(&hostile, &mut out);
        assert!(out.contains("GET /\\u{1b}[2J\\nfake\\u{9b}"), "{out}");
        assert_eq!(out.matches('\n').count(), 1);
    }
}
