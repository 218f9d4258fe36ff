//! The kinds of evidence, from strong to weak. A new kind is a file and a line here.

use crate::exchange::ExchangeId;

use super::Scene;
use super::node::Node;
use super::{alone, context, correlation, handoff, header, queue, thread, turn};

/// What one witness says of a call.
#[derive(Debug, PartialEq)]
pub(super) enum Testimony {
    /// Nothing.
    Silent,
    /// This request caused it, with this confidence.
    Names(ExchangeId, f64),
    /// One of these did; weaker witnesses may choose among them only.
    Among(Vec<ExchangeId>),
}

/// A kind of evidence.
pub(super) struct Kind {
    /// Its name, as `tracer.parent.method` has it.
    pub(super) method: &'static str,
    /// What it says of a call.
    pub(super) testify: fn(&Scene<'_>, &Node) -> Testimony,
    /// Why it says nothing of one.
    pub(super) silence: fn(&Scene<'_>, &Node) -> &'static str,
}

/// Those that name a request for what it is.
pub(super) const STRONG: [Kind; 3] = [
    Kind { method: header::METHOD, testify: header::testify, silence: header::silence },
    Kind { method: "context", testify: context::testify, silence: context::silence },
    Kind { method: "correlation", testify: correlation::testify, silence: correlation::silence },
];

/// Those that say least where a process does several things at once; the times judge them.
pub(super) const WEAK: [Kind; 5] = [
    Kind { method: "thread", testify: thread::testify, silence: thread::silence },
    Kind { method: "handoff", testify: handoff::testify, silence: handoff::silence },
    Kind { method: "turn", testify: turn::testify, silence: turn::silence },
    Kind { method: "queue", testify: queue::testify, silence: queue::silence },
    Kind { method: alone::METHOD, testify: alone::testify, silence: alone::silence },
];

/// All of them.
pub(super) fn kinds() -> impl Iterator<Item = &'static Kind> {
    const ALL: (&[Kind], &[Kind]) = (&STRONG, &WEAK);
    ALL.0.iter().chain(ALL.1)
}
