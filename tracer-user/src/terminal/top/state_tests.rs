use anyhow::anyhow;
use ratatui::crossterm::event::KeyCode;
use serde_json::{from_value, json};

use super::{Action, Screen, State};
use crate::terminal::wire::{Map, Trace, Traces};

pub(in crate::terminal::top) fn map(rates: [f64; 2]) -> Map {
    let red = |rate: f64, errors: u64| json!({ "requests": 100, "errors": errors, "rate": rate, "p50": 1.5, "p95": 20.0, "p99": 2500.0 });
    let merged = |mut value: serde_json::Value, red: serde_json::Value| {
        value.as_object_mut().unwrap().extend(red.as_object().unwrap().clone());
        value
    };
    let route = |name: &str, rate| merged(json!({ "name": name }), red(rate, 0));
    let node = |name: &str, rate, routes: Vec<serde_json::Value>| {
        merged(json!({ "name": name, "traced": true, "routes": routes }), red(rate, 5))
    };
    let nodes = [
        node("cart", rates[0], vec![route("GET /cart", 1.0), route("POST /cart/{id}", 2.0)]),
        node("shop", rates[1], vec![route("GET /\u{1b}[2J", 3.0)]),
    ];
    from_value(
        json!({ "seconds": 60.0, "nodes": nodes, "calls": [{ "from": "shop", "to": "cart" }] }),
    )
    .unwrap()
}

pub(in crate::terminal::top) fn traces() -> Traces {
    from_value(
        json!({ "traces": [{ "id": "00ab", "service": "shop", "name": "GET /", "start": 1.8e12,
        "duration": 12.5, "spans": 3, "errors": 1 }] }),
    )
    .unwrap()
}

fn selected(state: &State) -> (&str, Option<&str>) {
    let row = &state.rows[state.selected];
    (&row.service, row.route.as_deref())
}

#[test]
fn whoever_is_selected_stays_so_when_the_order_changes() {
    let mut state = State::new(map([3.0, 9.0]));
    assert_eq!(selected(&state), ("shop", None));
    for _ in 0..3 {
        state.key(KeyCode::Down);
    }
    assert_eq!(selected(&state), ("cart", Some("POST /cart/{id}")));
    state.update(Ok(map([9.0, 3.0])));
    assert_eq!((selected(&state), state.selected), (("cart", Some("POST /cart/{id}")), 1));
    state.key(KeyCode::End);
    assert_eq!(state.selected, 4);
    state.update(Ok(Map::default()));
    assert_eq!((state.selected, state.key(KeyCode::Enter)), (0, Action::None));
}

#[test]
fn a_route_leads_to_its_traces_and_these_to_one() {
    let mut state = State::new(map([3.0, 9.0]));
    state.key(KeyCode::Down);
    let (service, route) = ("shop".to_owned(), "GET /\u{1b}[2J".to_owned());
    assert_eq!(state.key(KeyCode::Enter), Action::Latest { service, route });
    state.latest("shop", "GET /", Ok(traces()));
    assert_eq!(state.key(KeyCode::Enter), Action::Trace("00ab".to_owned()));
    state.trace(Ok(Trace::default()));
    assert!(matches!(state.screen(), Screen::Trace { .. }));
    for _ in 0..3 {
        state.key(KeyCode::Esc);
    }
    assert!(matches!(state.screen(), Screen::Table));
    assert_eq!(state.key(KeyCode::Char('q')), Action::Quit);
}

#[test]
fn trouble_is_told_until_it_is_over() {
    let mut state = State::new(map([3.0, 9.0]));
    state.update(Err(anyhow!("gone")));
    assert_eq!((state.trouble.as_deref(), state.rows.len()), (Some("gone"), 5));
    state.update(Ok(map([1.0, 1.0])));
    assert!(state.trouble.is_none());
}
