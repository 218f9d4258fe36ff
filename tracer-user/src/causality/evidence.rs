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

/// What is said of a call.
type Says<T> = fn(&Scene<'_>, &Node) -> T;

/// A kind of evidence.
pub(super) struct Kind {
    /// Its name, as `tracer.parent.method` has it.
    pub(super) method: &'static str,
    /// What it says of a call.
    pub(super) testify: Says<Testimony>,
    /// Why it says nothing of one.
    pub(super) silence: Says<&'static str>,
    /// It says least where a process does several things at once; the times judge it.
    pub(super) weak: bool,
}

/// All of them.
pub(super) static KINDS: [Kind; 8] = [
    strong(header::METHOD, header::testify, header::silence),
    strong("context", context::testify, context::silence),
    strong("correlation", correlation::testify, correlation::silence),
    weak("thread", thread::testify, thread::silence),
    strong("handoff", handoff::testify, handoff::silence),
    weak("turn", turn::testify, turn::silence),
    weak("queue", queue::testify, queue::silence),
    weak(alone::METHOD, alone::testify, alone::silence),
];

const fn strong(
    method: &'static str,
    testify: Says<Testimony>,
    silence: Says<&'static str>,
) -> Kind {
    Kind { method, testify, silence, weak: false }
}

const fn weak(method: &'static str, testify: Says<Testimony>, silence: Says<&'static str>) -> Kind {
    Kind { method, testify, silence, weak: true }
}
