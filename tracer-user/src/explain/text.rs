//! A trace as a tree with its witnesses.
//!
//! ```text
//! trace 5eb9fffa7032092d76d7a64493f9cbc5  4 spans, 15.800 ms
//! client -> GET /orders/7                      no parent: its process was answering no request
//!   nginx GET /orders/7                        pair 1.00
//!     nginx -> GET /orders/7                   turn 0.97; 2 requests were open; thread 41
//!         turn         names this request           0.970  decides
//!         queue        names this request           0.640  agrees
//!         alone        is silent: not just one request was open in the process
//! ```

use std::fmt::Write as _;

use tracer_common::record::{
    FLOW_CONNECTION, FLOW_FUTURE, FLOW_GOROUTINE, FLOW_PYTHON, FLOW_TASK, FUTURE_THREAD,
    FUTURE_VIRTUAL,
};

use crate::causality::joint::Owner;
use crate::causality::{Hearing, Said, Statement, Weighed};
use crate::trace::{Kind, Span, SpanId, TraceId};
use crate::waterfall::printable;

use super::call::{Above, remark, target};
use super::story::{Story, Trace};

/// Requests named in one line.
const MAX_NAMED: usize = 3;
/// Where the edges begin, and what witnesses said.
const EDGE: usize = 48;
const NAMED: usize = 28;
/// Digits by which another trace is named: enough to ask for it.
const DIGITS: usize = 8;

/// One trace. `min_confidence`: what edges had to have.
pub(super) fn trace(story: &Story, trace: &Trace, min_confidence: f64) -> String {
    let mut out = String::new();
    let start = trace.spans.iter().map(|(_, span)| span.start).min().unwrap_or(0);
    let end = trace.spans.iter().map(|(_, span)| span.end).max().unwrap_or(0);
    let millis = end.saturating_sub(start) as f64 / 1e6;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\ntrace {}  {} spans, {millis:.3} ms", trace.id, trace.spans.len());
    for (depth, span) in &trace.spans {
        let indent = "  ".repeat(*depth);
        let arrow = if span.kind == Kind::Client { " ->" } else { "" };
        let service = printable(&span.resource.service);
        let line = format!("{indent}{service}{arrow} {}", printable(&target(span)));
        let hearing = story.hearing(span.span_id).filter(|_| span.kind == Kind::Client);
        let facts = hearing.map(facts).unwrap_or_default();
        let _ = writeln!(out, "{line:<EDGE$} {}{facts}", edge(story, span));
        if let (Some(hearing), None) = (hearing, span.parent)
            && !hearing.open.is_empty()
        {
            let open = several(story, &hearing.open, span);
            let _ = writeln!(out, "{indent}    {:<12} {open}", "open were");
        }
        for statement in hearing.iter().flat_map(|hearing| in_order(hearing)) {
            let said = said(story, statement, span, min_confidence);
            let _ = writeln!(out, "{indent}    {:<12} {}", statement.method, said.trim_end());
        }
        let weighed = hearing.and_then(|hearing| hearing.weighed.as_ref());
        for line in weighed.iter().flat_map(|weighed| odds(story, weighed, span)) {
            let _ = writeln!(out, "{indent}    {line}");
        }
    }
    out
}

/// The likeliest of what was weighed together, the best first.
fn odds(story: &Story, weighed: &Weighed<SpanId>, call: &Span) -> Vec<String> {
    let owners = weighed.owners.iter().take(MAX_NAMED).map(|owner| {
        let Owner { chance, borne, .. } = owner;
        let name = name(story, owner.request, call);
        // As a factor: odds of one to one say nothing.
        let witnesses = owner.odds.exp();
        format!("together     {chance:.3} {name} (witnesses x{witnesses:.1}; borne {borne:.3})")
    });
    let nobody = format!("together     {:.3} no request", weighed.nobody);
    owners.chain([nobody]).collect()
}

fn edge(story: &Story, span: &Span) -> String {
    match story.above(span) {
        Above::Span(method, confidence) => format!("{method} {confidence:.2}"),
        Above::Outside => "below a span of another tracer, which its headers name".into(),
        Above::UnseenCaller => "no parent: its caller was not seen".into(),
        Above::Nothing(reason) => format!("no parent: {}", reason.text()),
    }
}

fn facts(hearing: &Hearing<SpanId>) -> String {
    let mut facts = match hearing.open.len() {
        0 => String::new(),
        1 => "; 1 request was open".into(),
        open => format!("; {open} requests were open"),
    };
    // Writing to a String cannot fail.
    let _ = write!(facts, "; thread {}", hearing.thread);
    let _ = match (hearing.flow, hearing.context) {
        (_, 0) => Ok(()),
        (FLOW_GOROUTINE, goroutine) => write!(facts, ", goroutine {goroutine}"),
        // Those that were told to begin have numbers, with a bit that no address has.
        (FLOW_PYTHON, context) => {
            write!(facts, ", Python context {:#x}", context & (u64::MAX >> 1))
        }
        (FLOW_FUTURE, name) if name & FUTURE_VIRTUAL == FUTURE_VIRTUAL => {
            write!(facts, ", for virtual thread {}", name & !FUTURE_VIRTUAL)
        }
        (FLOW_FUTURE, name) if name & FUTURE_THREAD != 0 => {
            write!(facts, ", for thread {}", name & !FUTURE_THREAD)
        }
        (FLOW_FUTURE, future) => write!(facts, ", for future {future:#x}"),
        (FLOW_CONNECTION, client) => write!(facts, ", for client connection {client:#x}"),
        (FLOW_TASK, task) => write!(facts, ", tokio task {task:#x}"),
        (_, context) => write!(facts, ", context {context:#x}"),
    };
    if let Some((trace, made)) = hearing.carries {
        let by = if made { ", made by its process" } else { "" };
        let _ = write!(facts, "; carries trace {}{by}", TraceId(trace));
    }
    facts
}

/// Those that speak, from strong to weak, then the others. Where nothing was open, nobody could.
fn in_order(hearing: &Hearing<SpanId>) -> Vec<&Statement<SpanId>> {
    let silent = |statement: &&Statement<SpanId>| matches!(statement.said, Said::Nothing(_));
    let (quiet, mut all): (Vec<_>, Vec<_>) = hearing.statements.iter().partition(silent);
    if !all.is_empty() || !hearing.open.is_empty() {
        all.extend(quiet);
    }
    all
}

fn said(story: &Story, statement: &Statement<SpanId>, span: &Span, min_confidence: f64) -> String {
    match &statement.said {
        Said::Nothing(why) => format!("is silent: {why}"),
        Said::Names(request, confidence, verdict) => {
            let (named, is_parent) = (name(story, *request, span), span.parent == Some(*request));
            let remark = remark(*verdict, is_parent, min_confidence);
            format!("names {named:<NAMED$} {confidence:.3}  {remark}")
        }
        Said::Outlives => "names a request that had been answered: decides".into(),
        Said::Among(requests) => format!("names several: {}", several(story, requests, span)),
    }
}

/// A request, for somebody who looks at a call.
fn name(story: &Story, id: SpanId, call: &Span) -> String {
    match story.span(id) {
        _ if call.parent == Some(id) => "this request".into(),
        Some(request) if request.trace_id != call.trace_id => {
            let trace = request.trace_id.to_string();
            let digits = trace.get(..DIGITS).unwrap_or_default();
            format!("{} of trace {digits}", printable(&target(request)))
        }
        Some(request) => format!("{} ({id})", printable(&target(request))),
        None => format!("span {id}"),
    }
}

fn several(story: &Story, requests: &[SpanId], call: &Span) -> String {
    let named = requests.iter().take(MAX_NAMED).map(|&id| name(story, id, call));
    let named = named.collect::<Vec<_>>().join(", ");
    match requests.len().saturating_sub(MAX_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
