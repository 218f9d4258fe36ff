//! How often each witness spoke, and what became of it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::causality::{Said, Verdict};

use super::story::Story;

/// What can become of a witness's word on one call, and what that is called.
const OUTCOMES: [&str; 7] =
    ["decided", "agreed", "contradicted", "not_sure", "refused", "several", "silent"];

/// Of each kind of evidence, from strong to weak, how many calls there are of each outcome.
#[derive(Debug, Default)]
pub(super) struct Witnesses(Vec<(&'static str, [usize; OUTCOMES.len()])>);

impl Witnesses {
    /// Of all calls that were made while their process answered a request.
    pub(super) fn of(story: &Story) -> Self {
        let mut all = Self::default();
        for span in &story.spans {
            let hearing = story.hearing(span.span_id).filter(|hearing| !hearing.open.is_empty());
            for statement in hearing.iter().flat_map(|hearing| &hearing.statements) {
                let outcome = match &statement.said {
                    Said::Names(_, _, Verdict::Decides) => 0,
                    Said::Outlives => {
                        if span.parent.is_none() {
                            0
                        } else {
                            2
                        }
                    }
                    Said::Names(id, _, Verdict::Outweighed) if span.parent == Some(*id) => 1,
                    Said::Names(_, _, Verdict::Outweighed) => 2,
                    Said::Names(_, _, Verdict::TooWeak) => 3,
                    Said::Names(..) => 4,
                    Said::Among(_) => 5,
                    Said::Nothing(_) => 6,
                };
                all.count(statement.method, outcome);
            }
        }
        all
    }

    fn count(&mut self, method: &'static str, outcome: usize) {
        if !self.0.iter().any(|(known, _)| *known == method) {
            self.0.push((method, [0; OUTCOMES.len()]));
        }
        let row = self.0.iter_mut().find(|(known, _)| *known == method);
        if let Some(count) = row.and_then(|(_, counts)| counts.get_mut(outcome)) {
            *count += 1;
        }
    }

    /// A table, without those that were never heard.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let heads = OUTCOMES.map(|outcome| format!("{:>13}", outcome.replace('_', " "))).concat();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {:<12}{heads}", "witness");
        for (method, counts) in &self.0 {
            let told = |count: usize| if count == 0 { "-".into() } else { count.to_string() };
            let counts = counts.map(|count| format!("{:>13}", told(count))).concat();
            let _ = writeln!(out, "  {method:<12}{counts}");
        }
        out
    }

    /// The same for machines.
    pub(super) fn json(&self) -> Value {
        let row = |(method, counts): &(&str, [usize; OUTCOMES.len()])| {
            let outcomes = OUTCOMES.iter().zip(counts);
            let mut row: serde_json::Map<_, _> =
                outcomes.map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
            row.insert("method".into(), json!(method));
            Value::Object(row)
        };
        self.0.iter().map(row).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
