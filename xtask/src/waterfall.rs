//! Draws traces on the terminal: one line a span, indented under its parent, with a bar where it
//! lies in the trace's time. Input is what `tracer --export file=` writes (OTLP JSON lines).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// Columns of the bars.
const BAR: u64 = 36;
/// Columns of what stands before them.
const LABEL: usize = 48;

/// One span, as far as it is drawn. Times in nanoseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    id: String,
    parent: String,
    pub(crate) service: String,
    client: bool,
    name: String,
    start: u64,
    end: u64,
    outcome: String,
    failed: bool,
}

/// The spans of one line; what is not understood is left out.
pub(crate) fn parse(line: &str) -> Vec<Span> {
    let Ok(line) = serde_json::from_str::<Value>(line) else { return vec![] };
    let mut spans = vec![];
    for of in array(&line, "resourceSpans") {
        let service = of.get("resource").and_then(|resource| attribute(resource, "service.name"));
        for scope in array(of, "scopeSpans") {
            let read = |span| self::span(span, service.as_deref().unwrap_or("?"));
            spans.extend(array(scope, "spans").iter().filter_map(read));
        }
    }
    spans
}

fn span(span: &Value, service: &str) -> Option<Span> {
    let text = |key: &str| span.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = |key| text(key).parse().ok();
    let code = attribute(span, "http.response.status_code");
    Some(Span {
        trace: text("traceId"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        service: service.to_owned(),
        client: span.get("kind")?.as_u64() == Some(3),
        name: text("name"),
        start: time("startTimeUnixNano")?,
        end: time("endTimeUnixNano")?,
        outcome: code.or_else(|| attribute(span, "error.type")).unwrap_or_default(),
        failed: attribute(span, "error.type").is_some(),
    })
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// An attribute's value as text.
fn attribute(of: &Value, key: &str) -> Option<String> {
    let found = array(of, "attributes").iter().find(|pair| pair.get("key") == Some(&key.into()))?;
    match found.get("value")?.as_object()?.values().next()? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Traces by their first span's time.
pub(crate) fn traces(spans: Vec<Span>) -> Vec<Vec<Span>> {
    let mut by_id: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for span in spans {
        by_id.entry(span.trace.clone()).or_default().push(span);
    }
    let mut traces: Vec<_> = by_id.into_values().collect();
    for trace in &mut traces {
        trace.sort_by_key(|span| (span.start, !span.client));
    }
    traces.sort_by_key(|trace| trace.first().map(|span| span.start));
    traces
}

/// One trace; its spans in order of their starts.
pub(crate) fn draw(trace: &[Span]) -> String {
    let mut text = String::new();
    let start = trace.iter().map(|span| span.start).min().unwrap_or(0);
    let end = trace.iter().map(|span| span.end).max().unwrap_or(0);
    let id = trace.first().map_or("", |span| span.trace.as_str());
    let took = end - start;
    let _ = writeln!(text, "trace {id}  {} spans, {}", trace.len(), milliseconds(took));
    let known = |id: &str| trace.iter().any(|span| span.id == id);
    let mut open: Vec<(usize, &Span)> =
        trace.iter().rev().filter(|span| !known(&span.parent)).map(|span| (0, span)).collect();
    // Every span is drawn once at most, whatever the parents say.
    for _ in 0..trace.len() {
        let Some((depth, span)) = open.pop() else { break };
        let _ = writeln!(text, "{}", line(span, depth, start, took));
        let below = trace.iter().rev().filter(|child| child.parent == span.id);
        open.extend(below.map(|child| (depth + 1, child)));
    }
    text
}

fn line(span: &Span, depth: usize, start: u64, took: u64) -> String {
    let side = if span.client { "->" } else { "  " };
    let mut label = format!("{:1$}{2} {side} {3}", "", 2 * depth, span.service, span.name);
    if label.chars().count() > LABEL {
        label = label.chars().take(LABEL - 1).chain(['~']).collect();
    }
    let column = |time: u64| (time - start) * BAR / took.max(1);
    let (from, to) = (column(span.start), column(span.end).min(BAR));
    let len = (to - from).max(1);
    let from = from.min(BAR - len);
    let fill = if span.failed {
        "x"
    } else if span.client {
        "-"
    } else {
        "="
    };
    let bar = " ".repeat(from as usize) + &fill.repeat(len as usize);
    let mark = if span.failed { "!" } else { " " };
    format!(
        "  {label:LABEL$} {:>3}{mark} |{bar:width$}| {:>10}",
        span.outcome,
        milliseconds(span.end - span.start),
        width = BAR as usize
    )
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.1} ms", nanoseconds as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::{draw, parse, traces};

    const LINE: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"front"}}]},"scopeSpans":[{"spans":[
        {"traceId":"t","spanId":"b","parentSpanId":"a","kind":3,"name":"GET /x","startTimeUnixNano":"1500000","endTimeUnixNano":"2000000","attributes":[{"key":"http.response.status_code","value":{"intValue":"500"}},{"key":"error.type","value":{"stringValue":"500"}}]},
        {"traceId":"t","spanId":"a","kind":2,"name":"GET /","startTimeUnixNano":"1000000","endTimeUnixNano":"3000000","attributes":[{"key":"http.response.status_code","value":{"intValue":"200"}}]}]}]}]}"#;

    #[test]
    fn children_stand_under_their_parents() {
        let traces = traces(parse(LINE));
        let drawn = draw(&traces[0]);
        let lines: Vec<_> = drawn.lines().collect();
        assert_eq!(lines[0], "trace t  2 spans, 2.0 ms");
        assert!(lines[1].starts_with("  front    GET / "), "{drawn}");
        assert!(lines[1].contains(" 200  |=====") && lines[1].ends_with("2.0 ms"), "{drawn}");
        assert!(lines[2].starts_with("    front -> GET /x "), "{drawn}");
        assert!(lines[2].contains(" 500! |         xxxxxxxxx "), "{drawn}");
    }

    #[test]
    fn what_is_no_trace_is_left_out() {
        assert!(parse("{").is_empty() && parse("{\"resourceSpans\":3}").is_empty());
        let mut circle = parse(LINE);
        circle[1].parent = "b".into();
        assert_eq!(draw(&circle).lines().count(), 1);
    }
}
