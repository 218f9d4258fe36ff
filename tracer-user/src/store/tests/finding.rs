use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::{PATIENCE, Shape, all, span, spans_of, trace_id};
use crate::store::found::Sum;
use crate::store::{Dependency, Found, Limits, Query, Store, Trace};
use crate::trace::{Kind, Span};

const START: u64 = 1_700_000_000_000_000_000;
const SERVICES: [&str; 3] = ["shop", "cart", "stock"];
const NAMES: [&str; 3] = ["GET /cart/{id}", "PUT /cart/{id}", "GET /"];
const PATHS: [&str; 3] = ["/cart/red-Shoes", "/cart/2", "/"];

/// Trace, service, name, path, start, and whether it failed and has a parent.
type Drawn = (u64, usize, usize, usize, u64, (bool, bool));

fn shapes() -> impl Strategy<Value = Vec<Shape<'static>>> {
    let one = (1..40_u64, 0..3_usize, 0..3_usize, 0..3_usize, 0..5000_u64, any::<(bool, bool)>());
    let shape = |(trace, service, name, path, start, (failed, child)): Drawn| Shape {
        trace,
        service: SERVICES[service],
        name: NAMES[name],
        path: PATHS[path],
        remote: child.then_some("front"),
        parent: u64::from(child),
        start: START + start * 1_000_000,
        took: start * 10_000,
        failed,
        ..Shape::default()
    };
    prop::collection::vec(one.prop_map(shape), 1..200)
}

fn queries() -> impl Strategy<Value = Query> {
    let maybe = |texts: [&'static str; 3]| {
        prop_oneof![Just(None), (0..3_usize).prop_map(move |n| Some(texts[n].to_owned()))]
    };
    let time = || prop_oneof![Just(None), (0..5000_u64).prop_map(|n| Some(START + n * 1_000_000))];
    let took = || prop_oneof![Just(None), (0..50_000_000_u64).prop_map(Some)];
    let names = (maybe(SERVICES), maybe(["get /cart/{id}", "/cart/{id}", "GET"]));
    let rest = (maybe(["red shoes", "CART", "shoe"]), any::<(bool, bool)>(), 1..60_usize);
    (names, maybe(["front", "back", "Front"]), (time(), time()), (took(), took()), rest).prop_map(
        |((service, name), remote_service, (from, to), (least, most), (text, flags, limit))| {
            Query {
                service,
                name,
                remote_service,
                min_duration: least,
                max_duration: most,
                errors: flags.0,
                from,
                to,
                attributes: if flags.1 {
                    vec![("url.path".into(), Some("/cart/2".into())), ("host.name".into(), None)]
                } else {
                    vec![]
                },
                text,
                limit,
            }
        },
    )
}

/// The same by looking at every span.
fn by_looking(spans: &[Arc<Span>], query: &Query) -> Vec<Found> {
    let fitting = spans.iter().filter(|span| query.fits_span(span));
    let fitting: BTreeSet<_> = fitting.map(|span| span.trace_id).collect();
    let mut sums: BTreeMap<_, Sum> = BTreeMap::new();
    for span in spans.iter().filter(|span| fitting.contains(&span.trace_id)) {
        sums.entry(span.trace_id).or_default().add_span(span);
    }
    let mut found: Vec<Found> = sums.into_iter().map(|(id, sum)| sum.found(id)).collect();
    found.retain(|found| query.started().contains(&found.start));
    found.sort_by_key(|found| (std::cmp::Reverse(found.start), found.trace_id));
    found.truncate(query.limit);
    found
}

/// Where spans of one trace that start at one time have different names, either may be the root.
fn without_ties(mut found: Vec<Found>) -> Vec<Found> {
    found.iter_mut().for_each(|found| {
        (found.root_name, found.root_service) = (String::new(), String::new());
    });
    found
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]
    #[test]
    fn what_is_put_is_found(
        batches in prop::collection::vec(shapes(), 1..6),
        queries in prop::collection::vec(queries(), 12),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::with_blocks(&directory.path().join("1"), Limits::default(), 50).unwrap();
        // A trace's later spans, alone in a block, do not tell when it starts: so not whether it is in
        // a range, or newer than others.
        let one = Store::with_blocks(&directory.path().join("2"), Limits::default(), 4096).unwrap();
        let mut put = vec![];
        for (n, shapes) in batches.iter().enumerate() {
            let id = |i: usize| (n * 1000 + i + 1) as u64;
            let shapes = shapes.iter().enumerate().map(|(i, it)| Shape { id: id(i), ..it.clone() });
            let spans: Vec<_> = shapes.map(|shape| Arc::new(span(&shape))).collect();
            for store in [&store, &one] {
                store.put(&spans);
                assert!(store.flush(PATIENCE));
            }
            put.extend(spans);
        }
        for query in queries {
            let start_matters = query.to.is_some() || query.limit < 40;
            let found = if start_matters { one.snapshot().find(&query) } else { store.snapshot().find(&query) };
            assert!(found.complete);
            let ids: Vec<_> = found.traces.iter().map(|found| found.trace_id).collect();
            let whole: Vec<Trace> = store.snapshot().whole(&ids).collect();
            assert!(whole.iter().map(|trace| trace.id).eq(ids), "{query:?}");
            let mut known: Vec<_> = whole.iter().flat_map(|trace| trace.spans.clone()).collect();
            let mut put: Vec<_> = put.clone();
            put.retain(|span| whole.iter().any(|trace| trace.id == span.trace_id));
            known.sort_by_key(|span| (span.trace_id, span.span_id));
            put.sort_by_key(|span| (span.trace_id, span.span_id));
            assert_eq!(known, put, "{query:?}");
            assert!(store.snapshot().whole_of(&found.traces).eq(whole), "{query:?}");
            let want = by_looking(&put, &query);
            assert_eq!(without_ties(found.traces), without_ties(want), "{query:?}");
        }
        for n in 1..40 {
            let mut want: Vec<_> =
                put.iter().filter(|span| span.trace_id == trace_id(n)).cloned().collect();
            want.sort_by_key(|span| (span.start, span.end, span.span_id));
            assert_eq!(spans_of(&store, trace_id(n)), want);
        }
    }
}

fn shop() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::with_blocks(directory.path(), Limits::default(), 3).unwrap();
    let shape = |n: u64, kind, id, parent, service: &'static str, remote| {
        let start = START + n * 1_000_000_000 + id;
        let name = if service == "shop" { "GET /" } else { "GET /stock" };
        let (trace, failed) = (n, n == 3);
        Arc::new(span(&Shape {
            trace,
            kind,
            id,
            parent,
            service,
            remote,
            start,
            name,
            failed,
            ..Shape::default()
        }))
    };
    for n in 1..=4 {
        store.put(&[
            shape(n, Kind::Server, 1, 0, "shop", None),
            shape(n, Kind::Client, 2, 1, "shop", Some("stock")),
            shape(n, Kind::Server, 3, 2, "stock", Some("shop")),
        ]);
        assert!(store.flush(PATIENCE));
    }
    (directory, store)
}

#[test]
fn what_there_is_is_listed() {
    let (_directory, store) = shop();
    assert_eq!(store.snapshot().services(), ["shop", "stock"]);
    assert_eq!(store.snapshot().operations("Stock"), ["GET /stock"]);
    assert_eq!(store.snapshot().operations("none"), [""; 0]);
    assert_eq!(store.snapshot().remote_services("shop"), ["stock"]);
    assert_eq!(store.snapshot().values("http.response.status_code"), ["200", "500"]);
    assert!(store.snapshot().keys().contains(&"host.name".to_owned()));
    let stats = store.stats();
    assert_eq!((stats.spans, stats.given, stats.stored, stats.removed), (12, 12, 12, 0));
    assert_eq!(stats.oldest, Some(START + 1_000_000_001));
}

#[test]
fn a_trace_in_short() {
    let (_directory, store) = shop();
    let query = Query { service: Some("stock".into()), errors: true, ..all(10) };
    let want = Found {
        trace_id: trace_id(3),
        root_service: "shop".into(),
        root_name: "GET /".into(),
        has_root: true,
        start: START + 3_000_000_001,
        duration: 1_000_002,
        spans: 3,
        errors: 3,
        services: vec![("shop".into(), 2), ("stock".into(), 1)],
    };
    assert_eq!(store.snapshot().find(&query).traces, [want]);
    let newest = store.snapshot().find(&all(2)).traces;
    assert_eq!(newest.iter().map(|it| it.trace_id).collect::<Vec<_>>(), [4, 3].map(trace_id));
}

#[test]
fn dependencies_are_of_their_time() {
    let (_directory, store) = shop();
    let of = |from: u64, to: u64| {
        let second = |n| START + n * 1_000_000_000;
        store.snapshot().dependencies(second(from)..=second(to))
    };
    let (parent, child) = ("shop".to_owned(), "stock".to_owned());
    let want = |calls, errors| {
        vec![Dependency { parent: parent.clone(), child: child.clone(), calls, errors }]
    };
    assert_eq!(of(0, 9), want(4, 1));
    assert_eq!(of(2, 4), want(2, 1));
    assert_eq!(of(4, 9), want(1, 0));
    assert_eq!(of(5, 9), []);
}
