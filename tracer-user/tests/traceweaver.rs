//! The joint decision by timing, on a slice of traces that others recorded with truth.

#[path = "../examples/traceweaver/traces.rs"]
mod traces;

/// The first 150 traces of the hotel reservation at load 75, of TraceWeaver's published data
/// (SIGCOMM 2024, Apache-2.0), flattened. Nothing is known when it begins.
const HOTEL: &[u8] = include_bytes!("fixtures/traceweaver_hotel_load75.jsonl.gz");

#[test]
fn timing_alone_finds_whole_traces() {
    let score = traces::score(HOTEL);
    assert_eq!((score.traces, score.edges), (150, 750));
    assert!(score.right_traces >= 147, "{score:?}");
}
