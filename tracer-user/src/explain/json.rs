//! A trace with its witnesses, for machines.

use serde_json::{Value, json};
use tracer_common::record::{
    FLOW_CONNECTION, FLOW_FUTURE, FLOW_GOROUTINE, FLOW_PROMISE, FLOW_PYTHON, FLOW_TASK,
};

use crate::causality::joint::Owner;
use crate::causality::{Hearing, Said, Statement, Weighed};
use crate::trace::{Kind, Span, SpanId, TraceId};

use super::call::{Above, target, word};
use super::story::{Story, Trace};

/// One trace; spans with parents before their children.
pub(super) fn trace(story: &Story, trace: &Trace) -> Value {
    let spans: Vec<_> = trace.spans.iter().map(|(_, it)| span(story, it)).collect();
    json!({ "trace_id": trace.id.to_string(), "spans": spans })
}

fn span(story: &Story, span: &Span) -> Value {
    let (edge, method, confidence) = match story.above(span) {
        Above::Span(method, confidence) => ("joined", Some(method), Some(confidence)),
        Above::Outside => ("outside", None, None),
        Above::UnseenCaller => ("caller_unseen", None, None),
        Above::Nothing(reason) => (reason.name(), None, None),
    };
    let is_call = span.kind == Kind::Client;
    json!({
        "span_id": span.span_id.to_string(),
        "parent_id": span.parent.map(|id| id.to_string()),
        "kind": if is_call { "CLIENT" } else { "SERVER" },
        "service": &*span.resource.service,
        "name": span.name,
        "target": target(span),
        "start": span.start,
        "end": span.end,
        "edge": edge,
        "method": method,
        "confidence": confidence,
        "hearing": story.hearing(span.span_id).filter(|_| is_call).map(hearing),
    })
}

fn hearing(hearing: &Hearing<SpanId>) -> Value {
    let carries =
        |(trace, made): (_, bool)| json!({ "trace_id": TraceId(trace).to_string(), "made": made });
    json!({
        "thread": hearing.thread,
        "context": hearing.context,
        "flow": match hearing.flow {
            FLOW_GOROUTINE => "goroutine",
            FLOW_PYTHON => "python",
            FLOW_PROMISE => "promise",
            FLOW_FUTURE => "future",
            FLOW_TASK => "tokio",
            FLOW_CONNECTION => "connection",
            _ => "unnamed",
        },
        "carries": hearing.carries.map(carries),
        "open": ids(&hearing.open),
        "together": hearing.weighed.as_ref().map(together),
        "witnesses": hearing.statements.iter().map(witness).collect::<Vec<_>>(),
    })
}

fn together(weighed: &Weighed<SpanId>) -> Value {
    let owner = |owner: &Owner<SpanId>| {
        json!({
            "request": owner.request.to_string(),
            "probability": owner.chance,
            "borne": owner.borne,
            "log_odds_of_witnesses": owner.odds,
        })
    };
    let owners: Vec<_> = weighed.owners.iter().map(owner).collect();
    json!({ "owners": owners, "nobody": weighed.nobody })
}

fn witness(statement: &Statement<SpanId>) -> Value {
    let method = statement.method;
    match &statement.said {
        Said::Nothing(why) => json!({ "method": method, "says": "nothing", "why": why }),
        Said::Outlives => json!({ "method": method, "says": "outlives" }),
        Said::Among(requests) => {
            json!({ "method": method, "says": "among", "requests": ids(requests) })
        }
        Said::Names(request, confidence, verdict) => json!({
            "method": method,
            "says": "names",
            "request": request.to_string(),
            "confidence": confidence,
            "verdict": word(*verdict),
        }),
    }
}

fn ids(ids: &[SpanId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
