use super::super::results::testing::measured;
use super::*;

fn of(cells: Vec<Measured>) -> Vec<String> {
    failures(&Results { cells, ..Results::default() })
}

#[test]
fn what_is_right_passes() {
    assert!(of(vec![measured("go", 1000, 0, 1.0)]).is_empty());
    // Nothing is asked of 32 at once but that what is said is true.
    let mut many = measured("go", 100, 100, 0.5);
    many.cell.concurrency = 32;
    assert!(of(vec![many]).is_empty());
}

#[test]
fn what_is_below_its_floor_is_named() {
    let failures = of(vec![measured("go", 900, 100, 0.1)]);
    let expected = [
        "tree-go-timers-seq-c8: 90.00 % right, floor 99.9",
        "tree-go-timers-seq-c8: by default only 90.00 % of the edges are made",
    ];
    assert_eq!(failures, expected);
    assert!(of(vec![measured("nodehttp", 900, 100, 0.1)]).is_empty(), "a floor of 80");
    let mut alone = measured("nodehttp", 900, 100, 0.1);
    alone.cell.concurrency = 1;
    assert_eq!(of(vec![alone]).len(), 2);
    let mut headers = measured("nodehttp", 999, 1, 0.1);
    headers.cell.headers = Headers::B3;
    assert_eq!(of(vec![headers]).len(), 1);
}

#[test]
fn sure_and_wrong_is_a_failure() {
    let failures = of(vec![measured("nodehttp", 970, 30, 1.0)]);
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("3.00 % of the edges made are wrong, said 0.00"));
    // Although it is said, more than one in twenty.
    assert_eq!(of(vec![measured("nodehttp", 94, 6, 0.9)]).len(), 1);
    assert!(of(vec![measured("nodehttp", 990, 10, 0.9)]).is_empty());
}

#[test]
fn timing_alone_has_its_floors() {
    let timing = |file: &str, right_traces, cpu_us_per_trace| Timing {
        file: file.to_owned(),
        traces: 1000,
        right_traces,
        right_as_published: right_traces,
        edges: 5000,
        right_edges: 5000,
        cpu_us_per_trace,
    };
    let of = |timing| failures(&Results { timing: vec![timing], ..Results::default() });
    assert!(of(timing("hotel_load75", 990, 999.0)).is_empty());
    assert!(of(timing("hotel_load125", 1, 999.0)).is_empty(), "nothing is asked of it");
    let failures = of(timing("media_load75", 899, 1000.0));
    assert_eq!(failures[0], "media_load75: 89.90 % of the traces are right, floor 90");
    assert_eq!(failures[1], "media_load75: 1000 µs of CPU a trace");
}

#[test]
fn a_band_that_lies_is_named_for_all_and_its_runtime() {
    let failures = of(vec![measured("nodehttp", 9000, 300, 0.55)]);
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert_eq!(failures[0], "all: confidence 0.5 to 0.6: said 0.550, 0.000 are right");
    assert!(of(vec![measured("nodehttp", 9000, 199, 0.55)]).is_empty(), "too few");
}
