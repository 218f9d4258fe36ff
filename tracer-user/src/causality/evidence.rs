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

pub(super) type Witness = fn(&Scene<'_>, &Node) -> Testimony;

/// Name of the method, as `tracer.parent.method` has it, and the witness.
pub(super) const KINDS: [(&str, Witness); 8] = [
    (header::METHOD, header::testify),
    ("context", context::testify),
    ("correlation", correlation::testify),
    ("thread", thread::testify),
    ("handoff", handoff::testify),
    ("turn", turn::testify),
    ("queue", queue::testify),
    (alone::METHOD, alone::testify),
];

/// Those that say least where a process does several things at once; the times judge them.
pub(super) const WEAK: [(&str, Witness); 4] = [
    ("thread", thread::testify),
    ("turn", turn::testify),
    ("queue", queue::testify),
    (alone::METHOD, alone::testify),
];
