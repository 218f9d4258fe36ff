//! What there is: services, their operations and peers, attributes, and who calls whom.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::block::calls::{self, Graph};
use super::block::{self, Head, unseal};
use super::find::Library;
use crate::trace::{Kind, Span, TraceId};

/// Calls from one service to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The caller's service.
    pub parent: String,
    /// The callee's.
    pub child: String,
    /// How many; those that spans stand for which were sampled are estimated.
    pub calls: u64,
    /// How many of them failed.
    pub errors: u64,
}

impl Library {
    /// Every head, that of the open spans included.
    fn heads(&mut self, mut each: impl FnMut(&Head)) {
        each(&block::head(&self.view.open));
        for block in self.view.blocks.clone().iter() {
            if let Some(head) = self.part(block, block::Part::Head, unseal::<Head>) {
                each(&head);
            }
        }
    }

    /// Names that groups of spans have, as `name` tells them.
    pub(super) fn names(
        &mut self,
        name: impl for<'h> Fn(&'h Head, &block::Group) -> Option<&'h str>,
    ) -> Vec<String> {
        let mut names = BTreeSet::new();
        self.heads(|head| {
            for name in head.groups.iter().filter_map(|(group, _)| name(head, group)) {
                if !name.is_empty() && !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
        });
        names.into_iter().collect()
    }

    /// The names of a service's spans, each with the kinds that it has.
    pub(super) fn kinds(&mut self, service: &str) -> Vec<(String, Kind)> {
        let mut kinds = BTreeMap::new();
        self.heads(|head| {
            let of = head.groups.iter().map(|(group, _)| group);
            for group in of.filter(|it| head.text(it.service).eq_ignore_ascii_case(service)) {
                let (name, kind) = (head.text(group.name), group.kind);
                kinds.entry((name.to_owned(), kind.name())).or_insert(kind);
            }
        });
        kinds.into_iter().map(|((name, _), kind)| (name, kind)).collect()
    }

    /// The keys of attributes.
    pub(super) fn keys(&mut self) -> Vec<String> {
        let mut keys = BTreeSet::new();
        self.heads(|head| {
            for (key, _) in head.keys() {
                if !keys.contains(key) {
                    keys.insert(key.to_owned());
                }
            }
        });
        keys.into_iter().collect()
    }

    /// The values of a key, of those blocks in which they are few and short.
    pub(super) fn values(&mut self, wanted: &str) -> Vec<String> {
        let mut all = BTreeSet::new();
        self.heads(|head| {
            for (_, values) in head.keys().filter(|(key, _)| *key == wanted) {
                all.extend(values.map(str::to_owned));
            }
        });
        all.into_iter().collect()
    }

    /// Who called whom in spans that start in a range of nanoseconds since the Unix epoch.
    pub(super) fn dependencies(&mut self, range: &RangeInclusive<u64>) -> Vec<Dependency> {
        let mut all = BTreeMap::new();
        let open = self.view.open.clone();
        count(open.iter().map(|span| &**span), range, &mut all);
        for block in self.view.blocks.clone().iter() {
            let whole = range.contains(&block.first) && range.contains(&block.last);
            if whole {
                let Some(head) = self.head(block) else { continue };
                head.calls().for_each(|(a, b, calls, errors)| add(&mut all, a, b, calls, errors));
            } else if block.last >= *range.start() && block.first <= *range.end() {
                let rows = self.rows(block);
                let spans = rows.and_then(|rows| rows.spans(|_| true).ok()).unwrap_or_default();
                count(spans.iter().map(|span| &**span), range, &mut all);
            }
        }
        let dependency =
            |((parent, child), (calls, errors))| Dependency { parent, child, calls, errors };
        all.into_iter().map(dependency).collect()
    }
}

type All = BTreeMap<(String, String), (u64, u64)>;

fn add(all: &mut All, parent: &str, child: &str, calls: u64, errors: u64) {
    let sum = all.entry((parent.to_owned(), child.to_owned())).or_default();
    *sum = (sum.0 + calls, sum.1 + errors);
}

/// Of spans in any order.
fn count<'a>(spans: impl Iterator<Item = &'a Span>, range: &RangeInclusive<u64>, all: &mut All) {
    let mut traces: BTreeMap<TraceId, Vec<&Span>> = BTreeMap::new();
    for span in spans.filter(|span| range.contains(&span.start)) {
        traces.entry(span.trace_id).or_default().push(span);
    }
    let mut graph = Graph::default();
    traces.values().for_each(|trace| calls::count(trace, &mut graph));
    for ((a, b), counted) in graph {
        let (calls, errors) = counted.rounded();
        add(all, a, b, calls, errors);
    }
}
