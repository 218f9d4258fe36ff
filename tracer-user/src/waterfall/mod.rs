//! A trace as lines for a terminal: a span each, indented under its parent, with a bar where it lies
//! in time. Its texts may come from traffic: nothing in them steers the terminal.

mod of;
mod paint;

use std::collections::HashMap;

pub(crate) use paint::{colours, text, width};

/// What is drawn of a trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) id: String,
    pub(crate) spans: Vec<Span>,
}

/// What is drawn of a span.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    /// It is of the side that asks.
    pub(crate) client: bool,
    pub(crate) service: String,
    pub(crate) name: String,
    /// Nanoseconds since the trace's begin.
    pub(crate) start: u64,
    /// Nanoseconds.
    pub(crate) duration: u64,
    pub(crate) failed: bool,
    /// A status code, or why there is none.
    pub(crate) outcome: String,
    /// How its parent was found.
    pub(crate) method: Option<String>,
    /// How sure that is, from 0 to 1.
    pub(crate) confidence: Option<f64>,
}

/// Columns behind the bar: a duration.
const DURATION: usize = 10;
/// Columns of a status code, a blank before it and a mark behind.
const OUTCOME: usize = 6;
/// From so many columns on there is room for how parents were found.
const ROOMY: usize = 80;
/// Columns of what stands before the bar, at least.
const LEAST: usize = 24;
/// With fewer there is no bar.
const BARE: usize = 52;

/// What a part of a line is, for whoever paints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
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
pub(crate) type Line = Vec<(Part, String)>;

/// Number of spans and time from the first span's start to the last one's end.
pub(crate) fn title(trace: &Trace) -> String {
    let end = trace.spans.iter().map(|span| span.start.saturating_add(span.duration)).max();
    let count = trace.spans.len();
    let plural = if count == 1 { "" } else { "s" };
    format!("trace {}  {count} span{plural}, {}", trace.id, duration(end.unwrap_or(0)))
}

/// The lines, in the order of a tree whose branches are ordered by time.
pub(crate) fn lines(trace: &Trace, width: usize) -> Vec<Line> {
    let whole = trace.spans.iter().map(|span| span.start.saturating_add(span.duration)).max();
    let whole = whole.unwrap_or(0).max(1);
    let told = trace.spans.iter().map(|span| evidence(span).chars().count()).max().unwrap_or(0);
    // The tree matters more.
    let told = if width < ROOMY { 0 } else { told + 2 };
    let rest = width.saturating_sub(OUTCOME + DURATION + told + 2);
    let bare = width < BARE;
    let label = if bare { rest + 2 } else { (rest * 11 / 20).max(LEAST) };
    let bar = if bare { 0 } else { rest.saturating_sub(label).max(8) };
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
    let arrow = if span.client { "-> " } else { "" };
    // Deep trees keep their text on the screen.
    let indent = 2 * depth.min(label / 4);
    let text =
        format!("{:indent$}{} {arrow}{}", "", printable(&span.service), printable(&span.name));
    let code: String = printable(&span.outcome).chars().take(3).collect();
    let mark = if span.failed { '!' } else { ' ' };
    let side = match (span.failed, span.client) {
        (true, _) => Part::Failed,
        (false, true) => Part::Client,
        (false, false) => Part::Server,
    };
    let mut line = vec![
        (Part::Plain, fit(&text, label)),
        (if span.failed { Part::Failed } else { Part::Plain }, format!(" {code:>3}{mark} ")),
    ];
    if bar > 0 {
        line.extend(stretch(span, whole, bar, side));
    }
    line.push((Part::Plain, format!("{:>DURATION$}", duration(span.duration))));
    line
}

/// Where it lies in time.
fn stretch(span: &Span, whole: u64, bar: usize, side: Part) -> Line {
    let column = |time: u64| (u128::from(time) * bar as u128 / u128::from(whole)) as usize;
    let end = column(span.start.saturating_add(span.duration)).min(bar);
    let from = column(span.start).min(end).min(bar - 1);
    let long = (end - from).max(1);
    let fill = if span.client { "─" } else { "━" };
    vec![
        (Part::Plain, format!("│{}", " ".repeat(from))),
        (side, fill.repeat(long)),
        (Part::Plain, format!("{}│", " ".repeat(bar - from - long))),
    ]
}

/// How its parent was found, and how sure that is.
fn evidence(span: &Span) -> String {
    let method = span.method.as_deref().map(printable);
    match (method, span.confidence) {
        (Some(method), Some(sure)) => format!("{method} {sure:.2}"),
        (Some(method), None) => method,
        (None, _) => String::new(),
    }
}

/// Exactly so many columns of it.
fn fit(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return format!("{text:columns$}");
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// Without control characters, which could end the line or steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => clean.extend(c.escape_default()),
            false => clean.push(c),
        }
    }
    clean
}

/// Nanoseconds for people.
pub(crate) fn duration(nanoseconds: u64) -> String {
    let milliseconds = nanoseconds as f64 / 1e6;
    match milliseconds {
        _ if milliseconds < 1.0 => format!("{:.0} µs", milliseconds * 1e3),
        _ if milliseconds < 1000.0 => format!("{milliseconds:.1} ms"),
        _ => format!("{:.2} s", milliseconds / 1e3),
    }
}

#[cfg(test)]
mod tests;
