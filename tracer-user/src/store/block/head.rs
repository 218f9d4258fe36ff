//! What a block tells of its spans in sum, so that most searches need not look into it.

use serde::{Deserialize, Serialize};

use super::calls::{self, Graph};
use super::texts::Numbered;
use crate::trace::{Kind, Span, Value};

/// Keys of which a block has more values than this are not listed with them.
const FEW: usize = 24;
/// No longer value is listed.
const SHORT: usize = 64;

/// Spans that share all of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::store) struct Group {
    /// A text's number, as the next two.
    pub(in crate::store) service: u32,
    pub(in crate::store) name: u32,
    pub(in crate::store) remote: Option<u32>,
    pub(in crate::store) kind: Kind,
    pub(in crate::store) failed: bool,
    /// Without a parent.
    pub(in crate::store) root: bool,
}

/// How long the spans of a group took, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct Took {
    pub(in crate::store) least: u64,
    pub(in crate::store) most: u64,
}

/// The sums.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::store) struct Head {
    pub(in crate::store) spans: u32,
    /// When the first span starts, and the last, in nanoseconds since the Unix epoch.
    pub(in crate::store) first: u64,
    pub(in crate::store) last: u64,
    texts: Vec<String>,
    pub(in crate::store) groups: Vec<(Group, Took)>,
    /// Caller and callee by their texts' numbers, calls, errors.
    calls: Vec<(u32, u32, u64, u64)>,
    /// A key's text, and its values' if they are few and short.
    keys: Vec<(u32, Vec<u32>)>,
}

impl Head {
    /// A text by its number; an empty one for a number that stands for nothing.
    pub(in crate::store) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// Caller, callee, calls and errors.
    pub(in crate::store) fn calls(&self) -> impl Iterator<Item = (&str, &str, u64, u64)> {
        let calls = self.calls.iter();
        calls.map(|(a, b, calls, errors)| (self.text(*a), self.text(*b), *calls, *errors))
    }

    /// Keys of attributes, with what values they have where these are few and short.
    pub(in crate::store) fn keys(
        &self,
    ) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        let values = |values: &'_ Vec<u32>| values.clone().into_iter();
        self.keys
            .iter()
            .map(move |(key, all)| (self.text(*key), values(all).map(|value| self.text(value))))
    }
}

/// Makes a head, and tells each span's group by its place in [`Head::groups`].
///
/// `spans` are sorted by trace; `pairs` are all keys with values.
pub(super) fn head<'a>(
    spans: &[&'a Span],
    pairs: impl Iterator<Item = (&'a str, &'a Value)>,
) -> (Head, Vec<u16>) {
    let keys = few(pairs);
    let mut texts = Numbered::<&str>::new();
    let mut numbered = Numbered::<Group>::new();
    let mut took: Vec<Took> = vec![];
    let groups = spans.iter().map(|span| {
        let number = numbered.number(Group {
            service: texts.number(&span.resource.service),
            name: texts.number(&span.name),
            remote: span.remote.service.as_ref().map(|remote| texts.number(remote)),
            kind: span.kind,
            failed: span.is_error(),
            root: span.parent.is_none(),
        });
        let time = span.end.saturating_sub(span.start);
        match took.get_mut(number as usize) {
            Some(took) => {
                *took = Took { least: took.least.min(time), most: took.most.max(time) };
            }
            None => took.push(Took { least: time, most: time }),
        }
        // A block has fewer spans than that.
        number as u16
    });
    let groups = groups.collect();
    let mut graph = Graph::default();
    for trace in spans.chunk_by(|a, b| a.trace_id == b.trace_id) {
        calls::count(trace, &mut graph);
    }
    let calls = graph
        .into_iter()
        .map(|((a, b), counted)| {
            let (calls, errors) = counted.rounded();
            (texts.number(a), texts.number(b), calls, errors)
        })
        .collect();
    let keys: Vec<(u32, Vec<u32>)> = keys
        .iter()
        .map(|(key, values)| {
            (texts.number(key), values.iter().map(|value| texts.number(value)).collect())
        })
        .collect();
    let head = Head {
        spans: spans.len() as u32,
        first: spans.iter().map(|span| span.start).min().unwrap_or(0),
        last: spans.iter().map(|span| span.start).max().unwrap_or(0),
        texts: texts.into_things().into_iter().map(str::to_owned).collect(),
        groups: numbered.into_things().into_iter().zip(took).collect(),
        calls,
        keys,
    };
    (head, groups)
}

type Keys<'a> = Vec<(&'a str, Vec<std::borrow::Cow<'a, str>>)>;

/// Every key, with its values if they are few and short.
fn few<'a>(pairs: impl Iterator<Item = (&'a str, &'a Value)>) -> Keys<'a> {
    let mut keys: foldhash::HashMap<&str, Option<Vec<_>>> = foldhash::HashMap::default();
    for (key, value) in pairs {
        let known = keys.entry(key).or_insert(Some(vec![]));
        let Some(values) = known else { continue };
        if values.len() == FEW {
            *known = None;
            continue;
        }
        let text = value.text();
        if text.len() > SHORT {
            *known = None;
        } else {
            values.push(text);
        }
    }
    let mut keys: Keys<'_> =
        keys.into_iter().map(|(key, values)| (key, values.unwrap_or_default())).collect();
    keys.sort_unstable();
    keys
}
