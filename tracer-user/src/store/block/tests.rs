use std::sync::Arc;

use super::filter::{of_attribute, of_trace, of_word};
use super::{Block, Columns, Filter, Head, Part, Stored, index, rows, unpack, unseal};
use crate::store::testing::{Shape, full, span, spans, trace_id};

fn part(block: &Block, of: Part) -> &[u8] {
    &block.parts.iter().find(|(part, _)| *part == of).unwrap().1
}

#[test]
fn a_span_comes_back_as_it_was() {
    let mut backwards = full();
    backwards.end = backwards.start - 1;
    let mut ancient = full();
    (ancient.start, ancient.end) = (0, u64::MAX);
    let spans: Vec<_> = [full(), backwards, ancient].into_iter().map(Arc::new).collect();
    let stored: Stored = unpack(&rows(&spans)).unwrap();
    let read = stored.spans(|_| true).unwrap();
    assert_eq!(read, spans);
    assert!(stored.spans(|_| false).unwrap().is_empty());
}

#[test]
fn parts_tell_of_the_same_spans() {
    let mut all = spans(100);
    let shape = Shape {
        trace: 7,
        id: 900,
        name: "PUT /x",
        failed: true,
        path: "/Ärger",
        ..Shape::default()
    };
    all.push(Arc::new(span(&shape)));
    let block = Block::of(&all);
    let head: Head = unseal(part(&block, Part::Head)).unwrap();
    assert_eq!((head.spans, head.groups.len()), (101, 2));
    assert_eq!((head.first, head.last), (shape.start, all[99].start));
    let traces = Filter::unseal(part(&block, Part::Traces)).unwrap();
    assert!((1..=100).all(|n| traces.may_have(of_trace(trace_id(n)))));
    let columns: Columns = unseal(part(&block, Part::Columns)).unwrap();
    let seventh: Vec<_> = columns.traces(head.first).unwrap().nth(6).unwrap().1.collect();
    assert_eq!(
        seventh.iter().map(|cell| cell.start).collect::<Vec<_>>(),
        [shape.start, all[6].start]
    );
    let words = Filter::unseal(part(&block, Part::Words)).unwrap();
    for word in ["ärger", "PUT", "shop", "500", "box"] {
        assert!(words.may_have(of_word(word)), "{word}");
    }
    assert!(words.may_have(of_attribute("http.response.status_code", Some("500"))));
    assert!(!words.may_have(of_attribute("http.response.status_code", Some("404"))));
    let keys: Vec<_> = head.keys().map(|(key, of)| (key, of.collect::<Vec<_>>())).collect();
    assert!(keys.contains(&("http.response.status_code", vec!["200", "500"])), "{keys:?}");
    let open = index(&all);
    assert_eq!(format!("{:?}", open.columns), format!("{columns:?}"));
    let keys_of = |head: &Head| {
        let keys = head.keys().map(|(key, of)| (key.to_owned(), of.map(str::to_owned).collect()));
        keys.collect::<Vec<(String, Vec<String>)>>()
    };
    assert_eq!(keys_of(&super::head(&all)), keys_of(&head));
}

#[test]
fn numbers_that_stand_for_nothing_are_no_span() {
    let spans = spans(2);
    let bytes = rows(&spans);
    let stored: Stored = unpack(&bytes).unwrap();
    assert_eq!(stored.spans(|_| true).unwrap().len(), 2);
    let mut empty: Stored = unpack(&rows(&[])).unwrap();
    empty.take_rows(stored);
    assert!(empty.spans(|_| true).is_err());
    assert!(unpack::<Stored>(&bytes[..bytes.len() - 1]).is_err());
}
