//! A block: some thousand spans that came after one another, in the four parts in which they are
//! stored. A search reads the small ones first, and mostly needs no other.
//!
//! ```text
//! head     services, names, who called whom, times             a few KiB
//! traces   which traces may be in it                           two bytes a trace
//! columns  of each span: trace, group, start, duration         ten bytes a span
//! words    which words and attributes may be in it             a few bytes a span
//! rows     the spans themselves, by a dictionary, compressed   the rest
//! ```

pub(super) mod calls;
mod columns;
pub(super) mod filter;
mod head;
mod pack;
mod rows;
mod sieve;
mod texts;

use std::sync::Arc;

use crate::trace::{Span, Value};

pub(super) use columns::{Cell, Columns};
pub(super) use filter::Filter;
pub(super) use head::{Group, Head};
pub(super) use pack::{pack, seal, unpack, unseal};
pub(super) use rows::Stored;

/// Spans after which a block is full.
pub(super) const FULL: usize = 4096;
/// Most spans of one.
pub(super) const MOST: usize = 16_384;

/// Bits for each trace, and for each word. A thousand traces are looked for at once, and most blocks
/// should still be seen to have none of them.
const TRACE_BITS: usize = 24;
const WORD_BITS: usize = 14;

/// The small parts of a block, as a search needs them.
pub(super) struct Index {
    pub(super) head: Head,
    pub(super) columns: Columns,
}

/// All parts, as they are stored.
pub(super) struct Block {
    pub(super) head: Head,
    pub(super) parts: [(Part, Vec<u8>); 5],
}

/// A part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// [`Head`]
    Head,
    /// [`Filter`] of [`filter::of_trace`]
    Traces,
    /// [`Columns`]
    Columns,
    /// [`Filter`] of [`filter::of_word`] and [`filter::of_attribute`]
    Words,
    /// [`Stored`]
    Rows,
}

fn sorted(spans: &[Arc<Span>]) -> Vec<&Span> {
    let mut sorted: Vec<&Span> = spans.iter().map(|span| &**span).collect();
    sorted.sort_by_key(|span| (span.trace_id, span.start));
    sorted
}

/// The rows alone, in the order given.
pub(super) fn rows(spans: &[Arc<Span>]) -> Vec<u8> {
    pack(&rows::rows(&spans.iter().map(|span| &**span).collect::<Vec<_>>()).1)
}

/// The small parts of at most [`MOST`] spans, but for the keys of attributes.
pub(super) fn index(spans: &[Arc<Span>]) -> Index {
    let spans = sorted(spans);
    let (head, groups) = head::head(&spans, std::iter::empty());
    let columns = Columns::new(&spans, groups, head.first);
    Index { head, columns }
}

/// The head of at most [`MOST`] spans.
pub(super) fn head(spans: &[Arc<Span>]) -> Head {
    let spans = sorted(spans);
    let pairs =
        spans.iter().flat_map(|span| span.resource.attributes.iter().chain(&span.attributes));
    let mut once = foldhash::HashSet::default();
    let pairs = pairs.map(|(key, value)| (&**key, value));
    let pairs = pairs.filter(|(key, value)| once.insert((*key, value.text())));
    head::head(&spans, pairs).0
}

impl Block {
    /// Of at most [`MOST`] spans.
    pub(super) fn of(spans: &[Arc<Span>]) -> Self {
        let spans = sorted(spans);
        let (dictionary, rows) = rows::rows(&spans);
        let (head, groups) = head::head(&spans, dictionary.pairs());
        let columns = Columns::new(&spans, groups, head.first);
        let traces = Filter::new(columns.ids().map(filter::of_trace), TRACE_BITS);
        let words = Filter::new(hashes(&spans, &dictionary).into_iter(), WORD_BITS);
        let parts = [
            (Part::Head, seal(&head)),
            (Part::Traces, traces.seal()),
            (Part::Columns, seal(&columns)),
            (Part::Words, words.seal()),
            (Part::Rows, pack(&rows)),
        ];
        Self { head, parts }
    }
}

/// Of all words and attributes, each once.
fn hashes(spans: &[&Span], dictionary: &rows::Dictionary<'_>) -> foldhash::HashSet<u64> {
    let mut hashes = foldhash::HashSet::default();
    let mut add = |text: &str| hashes.extend(filter::words(text).map(filter::of_word));
    let mut named = foldhash::HashSet::default();
    for span in spans {
        let (remote, service) = (span.remote.service.as_deref(), &*span.resource.service);
        let events = span.events.iter().map(|event| &*event.name);
        let texts = [&*span.name, service].into_iter().chain(remote).chain(events);
        texts.filter(|text| named.insert(*text)).for_each(&mut add);
    }
    for (_, value) in dictionary.pairs() {
        let text = value.text();
        if let Value::Text(_) | Value::Texts(_) | Value::Int(_) = value {
            add(&text);
        }
    }
    let events = spans.iter().flat_map(|span| &span.events);
    hashes.extend(events.map(|event| filter::of_attribute(&event.name, None)));
    let errors: foldhash::HashSet<_> = spans.iter().filter_map(|span| span.error_text()).collect();
    for text in errors {
        hashes.insert(filter::of_attribute("error", None));
        hashes.insert(filter::of_attribute("error", Some(&text)));
    }
    for (key, value) in dictionary.pairs() {
        hashes.insert(filter::of_attribute(key, None));
        hashes.insert(filter::of_attribute(key, Some(&value.text())));
    }
    hashes
}

#[cfg(test)]
mod tests;
