//! What is looked for.

use std::ops::RangeInclusive;

use super::block::filter::{of_attribute, of_word, words};
use super::block::{Cell, Group, Head};
use crate::trace::Span;

/// Traces with a span for which all of this holds. Names are compared without regard to ASCII case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The span's service.
    pub service: Option<String>,
    /// The span's name (`GET /cart/{id}`), or its route alone.
    pub name: Option<String>,
    /// The service at the other end.
    pub remote_service: Option<String>,
    /// Nanoseconds that the span takes at least.
    pub min_duration: Option<u64>,
    /// At most.
    pub max_duration: Option<u64>,
    /// The span failed.
    pub errors: bool,
    /// The trace starts no sooner; nanoseconds since the Unix epoch.
    pub from: Option<u64>,
    /// No later.
    pub to: Option<u64>,
    /// Attributes of the span or its resource, with this value in its text form or with any; with
    /// any, an event of this name will do, too. `error` stands for [`Span::error_text`].
    pub attributes: Vec<(String, Option<String>)>,
    /// Words (runs of letters and digits, in any case) that all occur as such in the span's name,
    /// service, peer, events or values of attributes.
    pub text: Option<String>,
    /// Most traces to find; the newest are.
    pub limit: usize,
}

fn is(wanted: Option<&String>, text: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| text.is_some_and(|text| text.eq_ignore_ascii_case(wanted)))
}

fn is_name(wanted: Option<&String>, name: &str) -> bool {
    let route = name.split_once(' ').map(|(_, route)| route);
    is(wanted, Some(name)) || is(wanted, route)
}

impl Query {
    /// Durations that fit.
    pub(super) fn took(&self) -> RangeInclusive<u64> {
        self.min_duration.unwrap_or(0)..=self.max_duration.unwrap_or(u64::MAX)
    }

    /// Times at which the trace may start.
    pub(super) fn started(&self) -> RangeInclusive<u64> {
        self.from.unwrap_or(0)..=self.to.unwrap_or(u64::MAX)
    }

    /// Whether spans have to be looked at, since a block's index does not tell.
    pub(super) fn needs_spans(&self) -> bool {
        !self.attributes.is_empty() || self.text.is_some()
    }

    /// Whether every group may hold such spans.
    pub(super) fn is_of_any_group(&self) -> bool {
        let named = [&self.service, &self.name, &self.remote_service];
        let any = named.iter().all(|name| name.is_none()) && !self.errors;
        any && self.min_duration.is_none() && self.max_duration.is_none()
    }

    /// Which of a block's groups may hold such spans; `None` if none does.
    pub(super) fn groups(&self, head: &Head) -> Option<Vec<bool>> {
        let range = self.took();
        let fits = |group: &Group| {
            is(self.service.as_ref(), Some(head.text(group.service)))
                && is_name(self.name.as_ref(), head.text(group.name))
                && is(self.remote_service.as_ref(), group.remote.map(|remote| head.text(remote)))
                && (group.failed || !self.errors)
        };
        let groups = head.groups.iter().map(|(group, took)| {
            took.most >= *range.start() && took.least <= *range.end() && fits(group)
        });
        let groups: Vec<bool> = groups.collect();
        groups.contains(&true).then_some(groups)
    }

    /// Whether a span of one of `groups` fits, as far as the index tells.
    pub(super) fn fits(&self, groups: &[bool], cell: &Cell) -> bool {
        groups.get(usize::from(cell.group)) == Some(&true) && self.took().contains(&cell.took)
    }

    /// Hashes that a block has if it has such a span.
    pub(super) fn hashes(&self) -> Vec<u64> {
        let attributes =
            self.attributes.iter().map(|(key, value)| of_attribute(key, value.as_deref()));
        attributes.chain(self.words().map(of_word)).collect()
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        words(self.text.as_deref().unwrap_or_default())
    }

    /// Whether a span fits in every respect.
    pub(super) fn fits_span(&self, span: &Span) -> bool {
        is(self.service.as_ref(), Some(&span.resource.service))
            && is_name(self.name.as_ref(), &span.name)
            && is(self.remote_service.as_ref(), span.remote.service.as_deref())
            && (span.is_error() || !self.errors)
            && self.took().contains(&span.end.saturating_sub(span.start))
            && self.attributes.iter().all(|(key, value)| has(span, key, value.as_deref()))
            && self.words().all(|word| says(span, word))
    }
}

fn has(span: &Span, key: &str, value: Option<&str>) -> bool {
    let mut all = span.attributes.iter().chain(&span.resource.attributes);
    all.any(|(known, of)| known == key && value.is_none_or(|value| of.text() == value))
        || (key == "error"
            && span.error_text().is_some_and(|text| value.is_none_or(|value| text == value)))
        || (value.is_none() && span.events.iter().any(|event| event.name == key))
}

fn says(span: &Span, word: &str) -> bool {
    let word = word.to_lowercase();
    let has = |text: &str| words(text).any(|of| of.to_lowercase() == word);
    let values = span.attributes.iter().chain(&span.resource.attributes);
    has(&span.name)
        || has(&span.resource.service)
        || span.remote.service.as_deref().is_some_and(has)
        || values.into_iter().any(|(_, value)| has(&value.text()))
        || span.events.iter().any(|event| has(&event.name))
}
