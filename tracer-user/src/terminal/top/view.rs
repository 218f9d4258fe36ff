//! How it looks.

use std::time::{Duration, UNIX_EPOCH};

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};

use super::columns::{Column, fitting};
use super::state::{Screen, State};
use super::table::{self, Sort, share};
use crate::terminal::wire::{Red, Short, Trace};
use crate::waterfall::printable;
use crate::waterfall::{self, Part};

/// From this share of failed requests on, a line stands out.
const MANY_ERRORS: f64 = 0.01;

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)])
            .areas(frame.area());
    let (title, keys) = match state.screen() {
        Screen::Table => {
            table(frame, body, state);
            (summary(state, head.width), "q quit  ↑↓ select  enter traces  s sort  space pause")
        }
        Screen::Latest { service, route, traces, selected } => {
            latest(frame, body, traces, *selected);
            let of = if route.is_empty() { service.clone() } else { format!("{service} {route}") };
            (
                format!("latest traces of {}", printable(&of)),
                "q quit  esc back  ↑↓ select  enter open",
            )
        }
        Screen::Trace { trace, top } => {
            waterfall(frame, body, trace, *top);
            (title(trace, head.width), "q quit  esc back  ↑↓ scroll")
        }
    };
    frame.render_widget(Paragraph::new(title).bold(), head);
    let foot_line = match &state.trouble {
        Some(trouble) => Line::from(printable(trouble)).red(),
        None => Line::from(keys).dim(),
    };
    frame.render_widget(Paragraph::new(foot_line), foot);
}

/// From so many columns on there is room for what a line need not say.
const ROOMY: u16 = 60;

fn title(trace: &Trace, width: u16) -> String {
    let mut drawn = trace.drawn();
    if width < ROOMY {
        drawn.id.truncate(8);
    }
    waterfall::title(&drawn)
}

fn summary(state: &State, width: u16) -> String {
    let services = state.rows.iter().filter(|row| row.route.is_none() && row.traced);
    let (count, rate) =
        services.fold((0, 0.0), |(count, rate), row| (count + 1, rate + row.red.rate));
    let plural = if count == 1 { "" } else { "s" };
    let paused = if state.paused { "  (paused)" } else { "" };
    let seconds = state.map.seconds;
    let (name, requests) = if width < ROOMY { ("", "") } else { ("tracer top  ", " requests") };
    format!("{name}{count} service{plural}, {rate:.1}{requests}/s, last {seconds:.0} s{paused}")
}

fn table(frame: &mut Frame<'_>, area: Rect, state: &State) {
    if state.rows.is_empty() {
        let text = "No HTTP request was seen in this time.\n\nServices are traced as soon as they \
            are asked something; nothing has to be changed or restarted. If some should be here, \
            `tracer doctor` says what is traced.";
        let wrap = ratatui::widgets::Wrap { trim: true };
        return frame.render_widget(Paragraph::new(text).wrap(wrap), area);
    }
    let columns = numbers(area.width, state.sort);
    let head = |sort: Sort| match sort == state.sort {
        true => format!("{}▾", sort.head()),
        false => sort.head().to_owned(),
    };
    let right = |text: String| Cell::from(Line::from(text).right_aligned());
    let mut heads = vec![Cell::from(head(Sort::Name))];
    heads.extend(columns.iter().map(|column| right(head(column.what))));
    let mut widths = vec![Constraint::Min(1)];
    widths.extend(columns.iter().map(|column| Constraint::Length(column.width)));
    let callers = area.width >= 90;
    if callers {
        heads.push(Cell::from("CALLERS"));
        widths.push(Constraint::Length(area.width / 4));
    }
    let rows = state.rows.iter().map(|row| line(row, &columns, callers));
    let table = Table::new(rows, widths)
        .header(Row::new(heads).style(Style::new().dim().add_modifier(Modifier::UNDERLINED)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut at = TableState::default().with_selected(state.selected);
    frame.render_stateful_widget(table, area, &mut at);
}

/// Columns of a service's or route's name, at least.
const NAME: u16 = 14;

fn numbers(width: u16, sort: Sort) -> Vec<Column<Sort>> {
    let column = |what, width, weight| {
        // What it is sorted by stays.
        Column { what, width, weight: if what == sort { u8::MAX } else { weight } }
    };
    let all = [
        column(Sort::Rate, 8, 5),
        column(Sort::Errors, 7, 3),
        column(Sort::P50, 9, 2),
        column(Sort::P95, 9, 1),
        column(Sort::P99, 9, 4),
    ];
    fitting(&all, NAME, width)
}

fn line(row: &table::Row, columns: &[Column<Sort>], callers: bool) -> Row<'static> {
    let red = &row.red;
    let name = match &row.route {
        None => printable(&row.service),
        Some(route) => format!("  {}", printable(route)),
    };
    let number = |column: &Column<Sort>| {
        let cell = Cell::from(Line::from(text(red, column.what)).right_aligned());
        let failing = column.what == Sort::Errors && share(red) >= MANY_ERRORS;
        if failing { cell.style(Style::new().fg(Color::Red)) } else { cell }
    };
    let mut cells = vec![Cell::from(name)];
    cells.extend(columns.iter().map(number));
    if callers {
        let callers: Vec<_> = row.callers.iter().map(|name| printable(name)).collect();
        cells.push(Cell::from(callers.join(", ")).style(Style::new().dim()));
    }
    let style = match (&row.route, row.traced) {
        (None, true) => Style::new().bold(),
        (None, false) => Style::new().dim(),
        (Some(_), _) => Style::new(),
    };
    Row::new(cells).style(style)
}

fn text(red: &Red, what: Sort) -> String {
    match what {
        Sort::Name => String::new(),
        Sort::Rate => format!("{:.1}", red.rate),
        Sort::Errors if red.errors == 0 => "-".to_owned(),
        Sort::Errors => format!("{:.1}%", 100.0 * share(red)),
        Sort::P50 => time_of(red.p50),
        Sort::P95 => time_of(red.p95),
        Sort::P99 => time_of(red.p99),
    }
}

/// Milliseconds, never negative; what is no number becomes 0 by the cast.
fn time_of(milliseconds: f64) -> String {
    waterfall::duration((milliseconds * 1e6) as u64)
}

/// What a line of the latest traces says, beside what it is of.
#[derive(Clone, Copy)]
enum Fact {
    Time,
    Duration,
    Spans,
    Failed,
    Id,
}

fn latest(frame: &mut Frame<'_>, area: Rect, traces: &[Short], selected: usize) {
    if traces.is_empty() {
        return frame.render_widget(Paragraph::new("None of them is held any more."), area);
    }
    let column = |what, width, weight| Column { what, width, weight };
    let all = [
        column(Fact::Time, 8, 3),
        column(Fact::Duration, 9, 5),
        column(Fact::Spans, 11, 2),
        column(Fact::Failed, 9, 4),
        column(Fact::Id, 32, 1),
    ];
    let columns = fitting(&all, NAME, area.width);
    let (id, columns): (Vec<_>, Vec<_>) =
        columns.into_iter().partition(|column| matches!(column.what, Fact::Id));
    let rows = traces.iter().map(|trace| {
        let root = format!("{} {}", printable(&trace.service), printable(&trace.name));
        let facts = columns.iter().map(|column| fact(trace, column.what));
        let last = id.iter().map(|column| fact(trace, column.what));
        Row::new(facts.chain([Cell::from(root)]).chain(last).collect::<Vec<_>>())
    });
    let widths = columns.iter().map(|column| Constraint::Length(column.width));
    let last = id.iter().map(|column| Constraint::Length(column.width));
    let table = Table::new(rows, widths.chain([Constraint::Min(1)]).chain(last))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut at = TableState::default().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut at);
}

fn fact(trace: &Short, what: Fact) -> Cell<'static> {
    let right = |text: String| Cell::from(Line::from(text).right_aligned());
    match what {
        Fact::Time => Cell::from(time(trace.start)),
        Fact::Duration => right(time_of(trace.duration)),
        Fact::Spans => right(format!("{} spans", trace.spans)),
        Fact::Failed if trace.errors == 0 => Cell::default(),
        Fact::Failed => {
            Cell::from(format!("{} failed", trace.errors)).style(Style::new().fg(Color::Red))
        }
        Fact::Id => Cell::from(trace.id.clone()).style(Style::new().dim()),
    }
}

/// Of the day, in UTC.
fn time(milliseconds: f64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(milliseconds as u64);
    let whole = humantime::format_rfc3339_seconds(time).to_string();
    whole.split_once('T').map_or(String::new(), |(_, time)| time.trim_end_matches('Z').to_owned())
}

fn waterfall(frame: &mut Frame<'_>, area: Rect, trace: &Trace, top: usize) {
    let lines = waterfall::lines(&trace.drawn(), area.width.into());
    let styled = lines.into_iter().skip(top).map(|line| {
        let spans = line.into_iter().map(|(part, text)| Span::styled(text, style(part)));
        Line::from(spans.collect::<Vec<_>>())
    });
    frame.render_widget(Paragraph::new(styled.collect::<Vec<_>>()), area);
}

fn style(part: Part) -> Style {
    match part {
        Part::Plain => Style::new(),
        Part::Server => Style::new().fg(Color::Blue),
        Part::Client => Style::new().fg(Color::Cyan),
        Part::Failed => Style::new().fg(Color::Red),
        Part::Evidence => Style::new().dim(),
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
