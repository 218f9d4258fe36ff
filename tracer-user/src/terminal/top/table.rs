//! The lines of the live table.

use std::cmp::Ordering;

use crate::terminal::wire::{Map, Node, Red};

/// By what services, and the routes of each, are ordered; the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    #[default]
    Rate,
    Errors,
    P50,
    P95,
    P99,
    Name,
}

impl Sort {
    /// In the order of columns.
    const ALL: [Self; 6] = [Self::Name, Self::Rate, Self::Errors, Self::P50, Self::P95, Self::P99];

    /// What stands above its column.
    pub(super) fn head(self) -> &'static str {
        match self {
            Self::Name => "SERVICE / ROUTE",
            Self::Rate => "REQ/S",
            Self::Errors => "ERRORS",
            Self::P50 => "P50",
            Self::P95 => "P95",
            Self::P99 => "P99",
        }
    }

    pub(super) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|it| *it == self).unwrap_or(0);
        Self::ALL.get(at + 1).copied().unwrap_or(Self::Name)
    }

    fn compare(self, one: (&str, &Red), other: (&str, &Red)) -> Ordering {
        let of = |red: &Red| match self {
            Self::Name => 0.0,
            Self::Rate => red.rate,
            Self::Errors => share(red),
            Self::P50 => red.p50,
            Self::P95 => red.p95,
            Self::P99 => red.p99,
        };
        of(other.1).total_cmp(&of(one.1)).then_with(|| one.0.cmp(other.0))
    }
}

/// Share of the requests that failed.
pub(super) fn share(red: &Red) -> f64 {
    if red.requests == 0 { 0.0 } else { red.errors as f64 / red.requests as f64 }
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) service: String,
    /// `None`: the service as a whole.
    pub(super) route: Option<String>,
    /// It is traced, not only called.
    pub(super) traced: bool,
    pub(super) red: Red,
    /// Who calls the service; empty in lines of routes.
    pub(super) callers: Vec<String>,
}

/// Each service that was asked something, with its routes below.
pub(super) fn rows(map: &Map, sort: Sort) -> Vec<Row> {
    let mut nodes: Vec<&Node> = map.nodes.iter().filter(|node| node.red.requests > 0).collect();
    nodes.sort_by(|one, other| sort.compare((&one.name, &one.red), (&other.name, &other.red)));
    let mut rows = vec![];
    for node in nodes {
        let calls = map.calls.iter().filter(|call| call.to == node.name);
        rows.push(Row {
            service: node.name.clone(),
            route: None,
            traced: node.traced,
            red: node.red,
            callers: calls.map(|call| call.from.clone()).collect(),
        });
        let mut routes: Vec<_> = node.routes.iter().collect();
        routes.sort_by(|one, other| sort.compare((&one.name, &one.red), (&other.name, &other.red)));
        rows.extend(routes.into_iter().map(|route| Row {
            service: node.name.clone(),
            route: Some(route.name.clone()),
            traced: node.traced,
            red: route.red,
            callers: vec![],
        }));
    }
    rows
}
