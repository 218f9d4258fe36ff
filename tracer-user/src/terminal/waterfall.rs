//! A trace as lines: a span each, indented under its parent, with a bar where it lies in time.

use std::collections::HashMap;

use super::wire::{Span, Trace};
use crate::export::printable;

/// Columns behind the bar: a duration.
const DURATION: usize = 10;
/// Columns of a status code, a blank before it and a mark behind.
const OUTCOME: usize = 6;
/// From so many columns on there is room for how parents were found.
const ROOMY: usize = 80;
/// Columns of what stands before the bar, at least.
const LEAST: usize = 24;

/// What a part of a line is, for whoever paints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Plain,
    /// A span of the side that answers.
    Server,
    /// A span of the side that asks.
    Client,
    /// Of one that failed.
    Failed,
    /// How its parent was found.
    Evidence,
}

/// Parts of a line from left to right.
pub(super) type Line = Vec<(Part, String)>;

/// Number of spans and time from the first span's start to the last one's end.
pub(super) fn title(trace: &Trace) -> String {
    let end = trace.spans.iter().map(|span| span.start.saturating_add(span.duration)).max();
    let count = trace.spans.len();
    let plural = if count == 1 { "" } else { "s" };
    format!("trace {}  {count} span{plural}, {}", trace.id, duration(end.unwrap_or(0)))
}

/// The lines, in the order of a tree whose branches are ordered by time.
pub(super) fn lines(trace: &Trace, width: usize) -> Vec<Line> {
    let whole = trace.spans.iter().map(|span| span.start.saturating_add(span.duration)).max();
    let whole = whole.unwrap_or(0).max(1);
    let told = trace.spans.iter().map(|span| evidence(span).chars().count()).max().unwrap_or(0);
    // The tree matters more.
    let told = if width < ROOMY { 0 } else { told + 2 };
    let rest = width.saturating_sub(OUTCOME + DURATION + told + 2);
    let label = (rest * 11 / 20).max(LEAST);
    let bar = rest.saturating_sub(label).max(8);
    let in_order = tree(&trace.spans);
    let line = |(depth, span)| {
        let mut line = line(span, depth, whole, label, bar);
        if told > 0 {
            line.push((Part::Evidence, format!("  {}", evidence(span))));
        }
        line
    };
    in_order.into_iter().map(line).collect()
}

/// Every span once, with its depth; what has no parent in the trace, or is in a circle of such, begins
/// a tree of its own.
fn tree(spans: &[Span]) -> Vec<(usize, &Span)> {
    let ids: HashMap<&str, usize> =
        spans.iter().enumerate().map(|(at, span)| (&*span.id, at)).collect();
    let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut open = vec![];
    for (at, span) in spans.iter().enumerate() {
        let parent = span.parent.as_deref().and_then(|parent| ids.get(parent)).copied();
        match parent.filter(|&parent| parent != at) {
            Some(parent) => below.entry(parent).or_default().push(at),
            None => open.push(at),
        }
    }
    let by_time = |many: &mut Vec<usize>| {
        many.sort_by_key(|&at| spans.get(at).map(|span| std::cmp::Reverse(span.start)));
    };
    by_time(&mut open);
    let mut seen = vec![false; spans.len()];
    let mut open: Vec<_> = open.into_iter().map(|at| (0, at)).collect();
    let mut order = vec![];
    let mut all = 0..spans.len();
    loop {
        let Some((depth, at)) = open.pop() else {
            // Only circles are left.
            match all.find(|&at| !seen.get(at).copied().unwrap_or(true)) {
                Some(at) => open.push((0, at)),
                None => return order,
            }
            continue;
        };
        let (Some(span), Some(seen)) = (spans.get(at), seen.get_mut(at)) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        order.push((depth, span));
        let mut children = below.remove(&at).unwrap_or_default();
        by_time(&mut children);
        open.extend(children.into_iter().map(|child| (depth + 1, child)));
    }
}

fn line(span: &Span, depth: usize, whole: u64, label: usize, bar: usize) -> Line {
    let client = matches!(&*span.kind, "CLIENT" | "PRODUCER");
    let arrow = if client { "-> " } else { "" };
    // Deep trees keep their text on the screen.
    let indent = 2 * depth.min(label / 4);
    let text =
        format!("{:indent$}{} {arrow}{}", "", printable(&span.service), printable(&span.name));
    let code = span.get("http.response.status_code").or_else(|| span.get("error.type"));
    let code: String = printable(&code.unwrap_or_default()).chars().take(3).collect();
    let mark = if span.error { '!' } else { ' ' };
    let side = match (span.error, client) {
        (true, _) => Part::Failed,
        (false, true) => Part::Client,
        (false, false) => Part::Server,
    };
    let column = |time: u64| (u128::from(time) * bar as u128 / u128::from(whole)) as usize;
    let end = column(span.start.saturating_add(span.duration)).min(bar);
    let from = column(span.start).min(end).min(bar - 1);
    let long = (end - from).max(1);
    let fill = if client { "─" } else { "━" };
    vec![
        (Part::Plain, fit(&text, label)),
        (if span.error { Part::Failed } else { Part::Plain }, format!(" {code:>3}{mark} ")),
        (Part::Plain, format!("│{}", " ".repeat(from))),
        (side, fill.repeat(long)),
        (Part::Plain, format!("{}│", " ".repeat(bar - from - long))),
        (Part::Plain, format!("{:>DURATION$}", duration(span.duration))),
    ]
}

/// How its parent was found, and how sure that is.
fn evidence(span: &Span) -> String {
    let method = span.get("tracer.parent.method").map(|method| printable(&method));
    let sure = span.get("tracer.parent.confidence").and_then(|sure| sure.parse::<f64>().ok());
    match (method, sure) {
        (Some(method), Some(sure)) => format!("{method} {sure:.2}"),
        (Some(method), None) => method,
        (None, _) => String::new(),
    }
}

/// Exactly so many columns of it.
pub(super) fn fit(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return format!("{text:columns$}");
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// Nanoseconds for people.
pub(super) fn duration(nanoseconds: u64) -> String {
    let milliseconds = nanoseconds as f64 / 1e6;
    match milliseconds {
        _ if milliseconds < 1.0 => format!("{:.0} µs", milliseconds * 1e3),
        _ if milliseconds < 1000.0 => format!("{milliseconds:.1} ms"),
        _ => format!("{:.2} s", milliseconds / 1e3),
    }
}

#[cfg(test)]
#[path = "waterfall_tests.rs"]
mod tests;
