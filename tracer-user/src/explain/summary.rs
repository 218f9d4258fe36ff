//! All edges of a recording, counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::trace::Kind;

use super::call::Above;
use super::reason::Reason;
use super::story::Story;
use super::witnesses::Witnesses;

/// What is above all spans.
#[derive(Debug, Default)]
pub(super) struct Summary {
    spans: usize,
    traces: usize,
    /// Calls under the request that caused them, by method: their confidences.
    joined: BTreeMap<String, Vec<f64>>,
    /// Calls without one.
    orphans: BTreeMap<Reason, usize>,
    /// Requests whose call was seen; those whose call was not; spans below another tracer's.
    paired: usize,
    unseen: usize,
    outside: usize,
    witnesses: Witnesses,
}

impl Summary {
    pub(super) fn of(story: &Story) -> Self {
        let traces = story.traces("").len();
        let witnesses = Witnesses::of(story);
        let mut summary = Self { spans: story.spans.len(), traces, witnesses, ..Self::default() };
        for span in &story.spans {
            match (story.above(span), span.kind) {
                (Above::Span(..), Kind::Server) => summary.paired += 1,
                (Above::Span(method, confidence), _) => {
                    summary.joined.entry(method.to_owned()).or_default().push(confidence);
                }
                (Above::Outside, _) => summary.outside += 1,
                (Above::UnseenCaller, _) => summary.unseen += 1,
                (Above::Nothing(reason), _) => *summary.orphans.entry(reason).or_default() += 1,
            }
        }
        summary
    }

    /// For people.
    pub(super) fn text(&self, min_confidence: f64) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{} spans in {} traces", self.spans, self.traces);
        let joined: usize = self.joined.values().map(Vec::len).sum();
        let _ = writeln!(out, "\n{joined:>6} calls joined to the request that caused them");
        for (method, confidences) in &self.joined {
            let (mean, least) = (mean(confidences), least(confidences));
            let count = confidences.len();
            let _ = writeln!(
                out,
                "{count:>8} by {method:<12} confidence {mean:.3}, at least {least:.3}"
            );
        }
        let orphans: usize = self.orphans.values().sum();
        let _ = writeln!(out, "{orphans:>6} calls without a parent");
        for (reason, count) in &self.orphans {
            let _ = writeln!(out, "{count:>8} {}", reason.text());
        }
        let _ = writeln!(out, "{:>6} requests paired with their call", self.paired);
        if self.unseen > 0 {
            let _ = writeln!(out, "{:>6} requests whose caller was not seen", self.unseen);
        }
        if self.outside > 0 {
            let _ = writeln!(out, "{:>6} below a span of another tracer", self.outside);
        }
        if !self.witnesses.is_empty() {
            let heading = "Of the calls that were made while their process answered a request:";
            let _ = write!(out, "\n{heading}\n{}", self.witnesses.text());
        }
        let _ = writeln!(
            out,
            "\nEdges below a confidence of {min_confidence} were not made. A confidence is how often such evidence\n\
             was right where the process let it be checked; whether it was here, no recording tells."
        );
        out
    }

    /// For machines.
    pub(super) fn json(&self) -> Value {
        let joined: Vec<_> = self
            .joined
            .iter()
            .map(|(method, all)| {
                let (mean, least) = (mean(all), least(all));
                json!({ "method": method, "count": all.len(), "mean_confidence": mean, "least_confidence": least })
            })
            .collect();
        let orphans: Vec<_> = self
            .orphans
            .iter()
            .map(|(reason, count)| json!({ "reason": reason.name(), "count": count }))
            .collect();
        json!({
            "spans": self.spans,
            "traces": self.traces,
            "joined": joined,
            "orphans": orphans,
            "paired": self.paired,
            "caller_unseen": self.unseen,
            "outside": self.outside,
            "witnesses": self.witnesses.json(),
        })
    }
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len().max(1) as f64
}

fn least(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::INFINITY, f64::min)
}
