//! Everything at one moment, to be searched.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::counters::Counters;
use super::find::{LONGEST, Library};
use super::found::{Findings, Found};
use super::lists::Dependency;
use super::query::Query;
use super::state::View;
use super::whole::{Trace, Whole};
use crate::trace::{Kind, Span, TraceId};

/// Spans that do not change; of a [`Store`](super::Store), or held in memory. Its functions may take
/// some tenths of a second, so they are nothing for a thread that serves others.
pub struct Snapshot {
    pub(super) view: View,
    pub(super) counters: Arc<Counters>,
}

impl Snapshot {
    /// Of these spans alone.
    #[must_use]
    pub fn of(spans: Vec<Arc<Span>>) -> Self {
        let view = View { open: Arc::new(spans), ..View::default() };
        Self { view, counters: Arc::default() }
    }

    fn library(&self) -> Library {
        Library::new(self.view.clone(), self.counters.clone())
    }

    /// The spans of a trace, if there are any.
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Option<Trace> {
        self.whole(&[id]).next()
    }

    /// Whole traces, in this order; those that are not there are left out.
    #[must_use]
    pub fn whole(&self, ids: &[TraceId]) -> Whole {
        Whole::new(self.library(), ids, &(0..=u64::MAX))
    }

    /// The same of traces that a search found; it looks where [`find`](Self::find) does.
    #[must_use]
    pub fn whole_of(&self, found: &[Found]) -> Whole {
        let ids: Vec<TraceId> = found.iter().map(|found| found.trace_id).collect();
        let first = found.iter().map(|found| found.start).min().unwrap_or(0);
        let last = found.iter().map(|found| found.start.saturating_add(found.duration)).max();
        let last = last.unwrap_or(0).saturating_add(LONGEST);
        Whole::new(self.library(), &ids, &(first.saturating_sub(LONGEST)..=last))
    }

    /// Traces that fit, in short.
    #[must_use]
    pub fn find(&self, query: &Query) -> Findings {
        self.library().find(query)
    }

    /// The services that spans are of, sorted.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        self.library().names(|head, group| Some(head.text(group.service)))
    }

    /// The names of a service's spans, sorted.
    #[must_use]
    pub fn operations(&self, service: &str) -> Vec<String> {
        self.library().names(|head, group| {
            let is = head.text(group.service).eq_ignore_ascii_case(service);
            is.then(|| head.text(group.name))
        })
    }

    /// The same, with the kinds that spans of a name have.
    #[must_use]
    pub fn kinds(&self, service: &str) -> Vec<(String, Kind)> {
        self.library().kinds(service)
    }

    /// The services that a service's spans are connected with, sorted.
    #[must_use]
    pub fn remote_services(&self, service: &str) -> Vec<String> {
        self.library().names(|head, group| {
            let is = head.text(group.service).eq_ignore_ascii_case(service);
            is.then_some(group.remote)?.map(|remote| head.text(remote))
        })
    }

    /// Who called whom in spans that start in this range of nanoseconds since the Unix epoch.
    #[must_use]
    pub fn dependencies(&self, range: RangeInclusive<u64>) -> Vec<Dependency> {
        self.library().dependencies(&range)
    }

    /// The keys of attributes, sorted.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.library().keys()
    }

    /// The values of an attribute, sorted. Those of keys with very many values (a port, a path) are
    /// not all known.
    #[must_use]
    pub fn values(&self, key: &str) -> Vec<String> {
        self.library().values(key)
    }
}
