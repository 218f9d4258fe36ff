use anyhow::anyhow;
use ratatui::crossterm::event::KeyCode;

use super::super::fixtures::{map, traces};
use super::{Action, Screen, State};
use crate::terminal::wire::{Map, Trace};

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
