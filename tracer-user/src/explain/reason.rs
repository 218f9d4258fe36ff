//! Why a call has no parent.

use crate::causality::{Hearing, Said, Verdict};
use crate::trace::SpanId;

/// The first of these that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// It was made for a request that had been answered.
    Outlives,
    /// Its process was not answering any request: the trace begins there.
    NothingOpen,
    /// A witness named a request, and was not sure enough.
    TooWeak,
    /// What a witness named cannot be.
    Refused,
    /// Requests were open, and no witness named one.
    Silence,
    /// It was decided when its trace, or the other one, had left already.
    Late,
    /// It was never decided.
    Undecided,
}

impl Reason {
    /// From what was heard of the call.
    pub(super) fn of(hearing: Option<&Hearing<SpanId>>) -> Self {
        let Some(hearing) = hearing else { return Reason::Undecided };
        let verdicts: Vec<_> = hearing
            .statements
            .iter()
            .filter_map(|statement| match statement.said {
                Said::Names(_, _, verdict) => Some(verdict),
                Said::Nothing(_) | Said::Among(_) | Said::Outlives => None,
            })
            .collect();
        if hearing.decided.is_some() {
            Reason::Late
        } else if hearing.statements.iter().any(|statement| statement.said == Said::Outlives) {
            Reason::Outlives
        } else if verdicts.contains(&Verdict::TooWeak) {
            Reason::TooWeak
        } else if !verdicts.is_empty() {
            Reason::Refused
        } else if hearing.open.is_empty() {
            Reason::NothingOpen
        } else {
            Reason::Silence
        }
    }

    /// One word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Reason::Outlives => "outlives",
            Reason::NothingOpen => "nothing_open",
            Reason::TooWeak => "too_weak",
            Reason::Refused => "refused",
            Reason::Silence => "silence",
            Reason::Late => "late",
            Reason::Undecided => "undecided",
        }
    }

    /// For people.
    pub(super) fn text(self) -> &'static str {
        match self {
            Reason::Outlives => "the request that it was made for had been answered",
            Reason::NothingOpen => "its process was answering no request",
            Reason::TooWeak => "the witnesses were not sure enough",
            Reason::Refused => "the request that a witness named cannot be the cause",
            Reason::Silence => "requests were open, but no witness named one of them",
            Reason::Late => "when it was decided, its trace or the other had left",
            Reason::Undecided => "it was never decided",
        }
    }
}
