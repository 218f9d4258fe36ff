//! What a search finds.

use std::collections::BTreeMap;

use super::block::{Cell, Head};
#[cfg(test)]
use crate::trace::Span;
use crate::trace::{Kind, TraceId};

/// A trace in short, as far as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub trace_id: TraceId,
    /// Service and name of its first span without a parent; of its first span if all have one.
    pub root_service: String,
    /// The same span's.
    pub root_name: String,
    /// Whether that span is without a parent.
    pub has_root: bool,
    /// When its first span starts, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// Nanoseconds from then to the end of its last.
    pub duration: u64,
    /// Its spans.
    pub spans: u32,
    /// Those that failed.
    pub errors: u32,
    /// Each service, with its spans.
    pub services: Vec<(String, u32)>,
}

/// The traces that a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The newest first.
    pub traces: Vec<Found>,
    /// `false` if it took too long: older ones may be missing.
    pub complete: bool,
}

/// A trace's parts put together.
#[derive(Debug, Default)]
pub(super) struct Sum {
    start: Option<u64>,
    end: u64,
    spans: u32,
    errors: u32,
    services: BTreeMap<String, u32>,
    /// Has a parent, start, is no caller; so the least is the root.
    root: Option<(bool, u64, bool)>,
    root_service: String,
    root_name: String,
}

impl Sum {
    /// One span of a block.
    pub(super) fn add(&mut self, head: &Head, cell: &Cell) {
        let Some((group, _)) = head.groups.get(usize::from(cell.group)) else { return };
        let (service, name) = (head.text(group.service), head.text(group.name));
        let rank = (!group.root, cell.start, group.kind != Kind::Client);
        self.put(service, name, rank, cell.took, group.failed);
    }

    /// The same of a span.
    #[cfg(test)]
    pub(super) fn add_span(&mut self, span: &Span) {
        let service = &span.resource.service;
        let rank = (span.parent.is_some(), span.start, span.kind != Kind::Client);
        self.put(service, &span.name, rank, span.end.saturating_sub(span.start), span.is_error());
    }

    fn put(&mut self, service: &str, name: &str, rank: (bool, u64, bool), took: u64, failed: bool) {
        let start = rank.1;
        self.start = Some(self.start.map_or(start, |first| first.min(start)));
        self.end = self.end.max(start.saturating_add(took));
        self.spans += 1;
        self.errors += u32::from(failed);
        match self.services.get_mut(service) {
            Some(spans) => *spans += 1,
            None => drop(self.services.insert(service.to_owned(), 1)),
        }
        if self.root.is_none_or(|root| rank < root) {
            self.root = Some(rank);
            self.root_service = service.to_owned();
            self.root_name = name.to_owned();
        }
    }

    pub(super) fn found(self, trace_id: TraceId) -> Found {
        let start = self.start.unwrap_or(0);
        Found {
            trace_id,
            root_service: self.root_service,
            root_name: self.root_name,
            has_root: self.root.is_some_and(|(has_parent, _, _)| !has_parent),
            start,
            duration: self.end.saturating_sub(start),
            spans: self.spans,
            errors: self.errors,
            services: self.services.into_iter().collect(),
        }
    }
}
