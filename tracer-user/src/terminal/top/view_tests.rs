use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyCode;
use serde_json::{from_value, json};

use super::super::fixtures::{map, traces};
use super::super::state::State;
use super::draw;
use crate::terminal::wire::Map;

fn drawn(state: &State, width: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, 12)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    let buffer = terminal.backend().buffer();
    let cells = buffer.content().chunks(usize::from(width));
    cells.map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>() + "\n").collect()
}

#[test]
fn the_table_has_services_with_their_routes() {
    let mut state = State::new(map([3.0, 9.0]));
    let text = drawn(&state, 120);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("tracer top  2 services, 12.0 requests/s, last 60 s"), "{text}");
    assert!(lines[1].contains("REQ/S▾") && lines[1].contains("CALLERS"), "{text}");
    assert!(lines[2].starts_with("shop ") && lines[2].contains("5.0%"), "{text}");
    assert!(lines[3].starts_with("  GET /\\u{1b}[2J"), "{text}");
    assert!(lines[4].starts_with("cart ") && lines[4].contains("shop"), "{text}");
    assert!(
        lines[4].contains("1.5 ms") && lines[4].contains("20.0 ms") && lines[4].contains("2.50 s")
    );
    assert!(lines[11].starts_with("q quit"), "{text}");
    state.key(KeyCode::Char('s'));
    assert!(drawn(&state, 120).contains("ERRORS▾"));
    assert!(!drawn(&state, 60).contains("CALLERS"));
}

/// A number that is cut is another one.
#[test]
fn no_number_is_cut() {
    let mut state = State::new(map([3.0, 9.0]));
    for _ in 0..6 {
        for width in 24..130 {
            let text = drawn(&state, width);
            let line = text.lines().nth(4).unwrap();
            for (column, number) in [("P50", " 1.5 ms"), ("P95", " 20.0 ms"), ("P99", " 2.50 s")] {
                let shown = text.lines().nth(1).unwrap().contains(column);
                assert_eq!(line.contains(number), shown, "{width}\n{text}");
            }
        }
        state.key(KeyCode::Char('s'));
    }
    assert!(drawn(&state, 40).contains("P99"));
    state.latest("shop", "GET /", Ok(traces()));
    assert!(drawn(&state, 40).contains(" 12.5 ms"), "{}", drawn(&state, 40));
}

#[test]
fn every_screen_fits_any_size() {
    let mut state = State::new(map([3.0, 9.0]));
    for width in [1, 10, 39, 80, 300] {
        drawn(&state, width);
    }
    state.latest("shop", "GET /", Ok(traces()));
    let text = drawn(&state, 110);
    assert!(
        text.contains("12.5 ms") && text.contains("1 failed") && text.contains("00ab"),
        "{text}"
    );
    let span = json!({ "id": "a", "parent": null, "kind": "SERVER", "service": "shop", "name": "GET /",
        "start": 0, "duration": 1_000_000, "error": false, "attributes": [] });
    state.trace(Ok(from_value(json!({ "id": "00ab", "spans": [span] })).unwrap()));
    let text = drawn(&state, 100);
    assert!(text.starts_with("trace 00ab  1 span, 1.0 ms") && text.contains('━'), "{text}");
    for width in [1, 10, 39, 80, 300] {
        drawn(&state, width);
    }
}

#[test]
fn nothing_to_show_is_explained() {
    let text = drawn(&State::new(Map::default()), 80);
    assert!(text.contains("No HTTP request was seen"), "{text}");
}
