//! The kinds of evidence, from strong to weak. A new kind is a file and a line here.

use serde::{Deserialize, Serialize};

use crate::exchange::ExchangeId;

use super::Scene;
use super::node::Node;
use super::{
    alone, answer, context, correlation, forward, handoff, header, queue, spawn, thread, timing,
    turn,
};

/// What one witness says of a call.
#[derive(Debug, PartialEq)]
pub(super) enum Testimony {
    /// Nothing.
    Silent,
    /// This request caused it, with this confidence.
    Names(ExchangeId, f64),
    /// One of these did; weaker witnesses may choose among them only.
    Among(Vec<ExchangeId>),
    /// None that was open did: it was made for one that was over by then.
    Outlives,
}

/// What is said of a call.
pub(super) type Says<T> = fn(&Scene<'_>, &Node) -> T;

/// A kind of evidence.
pub(super) struct Kind {
    /// Its name, as `tracer.parent.method` has it.
    pub(super) method: &'static str,
    /// What it says of a call.
    testify: Says<Testimony>,
    /// Why it says nothing of one.
    silence: Says<&'static str>,
    /// It says least where a process does several things at once; the times judge it.
    pub(super) weak: bool,
}

impl Kind {
    /// What it says of a call, if it is asked.
    pub(super) fn testify(&self, scene: &Scene<'_>, call: &Node) -> Testimony {
        match scene.without.has(self.method) {
            true => Testimony::Silent,
            false => (self.testify)(scene, call),
        }
    }

    /// Why it says nothing.
    pub(super) fn silence(&self, scene: &Scene<'_>, call: &Node) -> &'static str {
        match scene.without.has(self.method) {
            true => NOT_ASKED,
            false => (self.silence)(scene, call),
        }
    }
}

/// Why a witness says nothing that is not asked.
pub(super) const NOT_ASKED: &str = "it was not asked";

/// Kinds of evidence, by name; the times are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Kinds(u16);

impl Kinds {
    /// Their names, from strong to weak.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.method).chain([timing::METHOD])
    }

    /// With the one that has this name, if there is one.
    #[must_use]
    pub fn and(self, name: &str) -> Option<Self> {
        let place = Self::names().position(|kind| kind == name)?;
        Some(Self(self.0 | 1 << place))
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.0 != 0 && self.and(name) == Some(self)
    }
}

impl TryFrom<Vec<String>> for Kinds {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        names.iter().try_fold(Self::default(), |kinds, name| {
            let all = || Self::names().collect::<Vec<_>>().join(", ");
            kinds.and(name).ok_or_else(|| format!("no kind of evidence is `{name}`; use {}", all()))
        })
    }
}

impl From<Kinds> for Vec<String> {
    fn from(kinds: Kinds) -> Self {
        Kinds::names().filter(|name| kinds.has(name)).map(str::to_owned).collect()
    }
}

/// All of them.
pub(super) static KINDS: [Kind; 11] = [
    strong(header::METHOD, header::testify, header::silence),
    strong("context", context::testify, context::silence),
    strong("correlation", correlation::testify, correlation::silence),
    weak("thread", thread::testify, thread::silence),
    weak("answer", answer::testify, answer::silence),
    strong("handoff", handoff::testify, handoff::silence),
    strong("forward", forward::testify, forward::silence),
    weak("spawn", spawn::testify, spawn::silence),
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
