//! What is shown, and what keys do to it.

use anyhow::Result;
use ratatui::crossterm::event::KeyCode;

use super::table::{Row, Sort, rows};
use crate::terminal::wire::{Map, Short, Trace, Traces};

/// Lines that a page key goes.
const PAGE: usize = 10;

/// What the screen is about.
#[derive(Clone, Debug)]
pub(super) enum Screen {
    Table,
    /// The latest traces of a route.
    Latest {
        service: String,
        route: String,
        traces: Vec<Short>,
        selected: usize,
    },
    /// One of them; `top`: lines that are scrolled away.
    Trace {
        trace: Trace,
        top: usize,
    },
}

/// What a key asks for that has to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    None,
    Quit,
    /// An empty route: all of the service.
    Latest {
        service: String,
        route: String,
    },
    Trace(String),
}

/// All of it.
pub(super) struct State {
    pub(super) map: Map,
    pub(super) rows: Vec<Row>,
    pub(super) sort: Sort,
    /// A line of the table.
    pub(super) selected: usize,
    /// The table stands still.
    pub(super) paused: bool,
    /// Screens, the one that is seen last. Never empty.
    screens: Vec<Screen>,
    /// What went wrong last.
    pub(super) trouble: Option<String>,
}

impl State {
    pub(super) fn new(map: Map) -> Self {
        let rows = rows(&map, Sort::default());
        Self {
            map,
            rows,
            sort: Sort::default(),
            selected: 0,
            paused: false,
            screens: vec![Screen::Table],
            trouble: None,
        }
    }

    pub(super) fn screen(&self) -> &Screen {
        self.screens.last().unwrap_or(&Screen::Table)
    }

    /// What the tracer said of the last minute.
    pub(super) fn update(&mut self, map: Result<Map>) {
        match map {
            Ok(map) => {
                self.trouble = None;
                self.map = map;
                self.arrange();
            }
            Err(error) => self.trouble = Some(format!("{error:#}")),
        }
    }

    /// Whoever was selected stays so, wherever it goes.
    fn arrange(&mut self) {
        let name = |row: &Row| (row.service.clone(), row.route.clone());
        let selected = self.rows.get(self.selected).map(name);
        self.rows = rows(&self.map, self.sort);
        let at = self.rows.iter().position(|row| Some(name(row)) == selected);
        self.selected = at.unwrap_or(self.selected).min(self.rows.len().saturating_sub(1));
    }

    pub(super) fn latest(&mut self, service: &str, route: &str, traces: Result<Traces>) {
        match traces {
            Ok(Traces { traces }) => {
                let (service, route) = (service.to_owned(), route.to_owned());
                self.screens.push(Screen::Latest { service, route, traces, selected: 0 });
            }
            Err(error) => self.trouble = Some(format!("{error:#}")),
        }
    }

    pub(super) fn trace(&mut self, trace: Result<Trace>) {
        match trace {
            Ok(trace) => self.screens.push(Screen::Trace { trace, top: 0 }),
            Err(error) => self.trouble = Some(format!("{error:#}")),
        }
    }

    pub(super) fn key(&mut self, key: KeyCode) -> Action {
        match key {
            KeyCode::Char('q') => return Action::Quit,
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Left if self.screens.len() > 1 => {
                self.screens.pop();
            }
            KeyCode::Up | KeyCode::Char('k') => self.go(|at, _| at.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => self.go(|at, _| at + 1),
            KeyCode::PageUp => self.go(|at, _| at.saturating_sub(PAGE)),
            KeyCode::PageDown => self.go(|at, _| at + PAGE),
            KeyCode::Home => self.go(|_, _| 0),
            KeyCode::End => self.go(|_, last| last),
            KeyCode::Char('s') => {
                self.sort = self.sort.next();
                self.arrange();
            }
            KeyCode::Char(' ' | 'p') => self.paused = !self.paused,
            KeyCode::Enter | KeyCode::Right => return self.enter(),
            _ => {}
        }
        Action::None
    }

    fn enter(&self) -> Action {
        match self.screen() {
            Screen::Table => self.rows.get(self.selected).map(|row| Action::Latest {
                service: row.service.clone(),
                route: row.route.clone().unwrap_or_default(),
            }),
            Screen::Latest { traces, selected, .. } => {
                traces.get(*selected).map(|trace| Action::Trace(trace.id.clone()))
            }
            Screen::Trace { .. } => None,
        }
        .unwrap_or(Action::None)
    }

    /// `to`: from a line, and the last one, to another.
    fn go(&mut self, to: impl Fn(usize, usize) -> usize) {
        let (at, count) = match self.screens.last_mut() {
            Some(Screen::Latest { traces, selected, .. }) => (selected, traces.len()),
            Some(Screen::Trace { trace, top }) => (top, trace.spans.len()),
            _ => (&mut self.selected, self.rows.len()),
        };
        let last = count.saturating_sub(1);
        *at = to(*at, last).min(last);
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
