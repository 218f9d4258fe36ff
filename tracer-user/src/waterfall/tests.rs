use super::{Part, Span, Trace, duration, fit, lines, title};

fn trace<const N: usize>(spans: [Span; N]) -> Trace {
    Trace { id: "00ab".to_owned(), spans: spans.into() }
}

fn span(id: &str, parent: Option<&str>, client: bool, start: u64, end: u64) -> Span {
    Span {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        client,
        service: "shop".to_owned(),
        name: format!("GET /{id}"),
        start: start * 1_000_000,
        duration: (end - start) * 1_000_000,
        failed: id == "bad",
        outcome: "200".to_owned(),
        method: Some("thread".to_owned()),
        confidence: Some(0.98),
    }
}

fn drawn(trace: &Trace, width: usize) -> Vec<String> {
    let text = |line: super::Line| line.into_iter().map(|(_, text)| text).collect();
    lines(trace, width).into_iter().map(text).collect()
}

#[test]
fn children_stand_under_their_parents_by_time() {
    let trace = trace([
        span("late", Some("root"), true, 6, 9),
        span("root", None, false, 0, 10),
        span("bad", Some("root"), true, 1, 5),
        span("below", Some("bad"), false, 2, 4),
    ]);
    assert_eq!(title(&trace), "trace 00ab  4 spans, 10.0 ms");
    let drawn = drawn(&trace, 100);
    let names: Vec<_> = drawn.iter().map(|line| line.trim().split(' ').next().unwrap()).collect();
    assert_eq!(names, ["shop"; 4]);
    for (line, text) in drawn.iter().zip([
        "shop GET /root",
        "  shop -> GET /bad",
        "    shop GET /below",
        "  shop -> GET /late",
    ]) {
        assert!(line.starts_with(text), "{line}");
        assert!(line.ends_with("thread 0.98") && line.contains(" 200"), "{line}");
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(drawn[1].contains("200!") && drawn[0].contains("10.0 ms"), "{drawn:#?}");
    let parts = lines(&trace, 100);
    assert!(parts[1].iter().any(|(part, text)| *part == Part::Failed && text.contains('─')));
}

#[test]
fn every_span_is_drawn_once_whatever_the_parents_say() {
    let circle = trace([
        span("a", Some("b"), false, 0, 1),
        span("b", Some("a"), false, 0, 1),
        span("c", Some("c"), false, 0, 1),
        span("d", Some("gone"), false, 0, 0),
    ]);
    let mut drawn = drawn(&circle, 60);
    drawn.sort();
    assert_eq!(drawn.len(), 4);
    assert!(lines(&trace([]), 60).is_empty());
}

#[test]
fn what_traffic_says_steers_no_terminal() {
    let mut hostile = span("x", None, false, 0, 1);
    hostile.name = "GET /\u{1b}[2J\r\n\u{9b}1m".to_owned();
    hostile.outcome = "\u{1b}]0;x\u{7}".to_owned();
    for width in [0, 10, 40, 400] {
        for line in drawn(&trace([hostile.clone()]), width) {
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn texts_fit() {
    assert_eq!((fit("abc", 5), fit("abcdef", 4)), ("abc  ".to_owned(), "abc…".to_owned()));
    let all = [0, 15_000, 2_500_000, 12_345_000_000].map(duration);
    assert_eq!(all, ["0 µs", "15 µs", "2.5 ms", "12.35 s"]);
}
