//! How it looks.

use std::time::{Duration, UNIX_EPOCH};

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};

use super::state::{Screen, State};
use super::table::{self, Sort, share};
use crate::export::printable;
use crate::terminal::waterfall::{self, Part};
use crate::terminal::wire::{Red, Short, Trace};

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
            (summary(state), "↑↓ select  enter traces  s sort  space pause  q quit")
        }
        Screen::Latest { service, route, traces, selected } => {
            latest(frame, body, traces, *selected);
            let of = if route.is_empty() { service.clone() } else { format!("{service} {route}") };
            (
                format!("latest traces of {}", printable(&of)),
                "↑↓ select  enter open  esc back  q quit",
            )
        }
        Screen::Trace { trace, top } => {
            waterfall(frame, body, trace, *top);
            (waterfall::title(trace), "↑↓ scroll  esc back  q quit")
        }
    };
    frame.render_widget(Paragraph::new(title).bold(), head);
    let foot_line = match &state.trouble {
        Some(trouble) => Line::from(printable(trouble)).red(),
        None => Line::from(keys).dim(),
    };
    frame.render_widget(Paragraph::new(foot_line), foot);
}

fn summary(state: &State) -> String {
    let services = state.rows.iter().filter(|row| row.route.is_none() && row.traced);
    let (count, rate) =
        services.fold((0, 0.0), |(count, rate), row| (count + 1, rate + row.red.rate));
    let plural = if count == 1 { "" } else { "s" };
    let paused = if state.paused { "  (paused)" } else { "" };
    let seconds = state.map.seconds;
    format!(
        "tracer top  {count} service{plural}, {rate:.1} requests/s, last {seconds:.0} s{paused}"
    )
}

fn table(frame: &mut Frame<'_>, area: Rect, state: &State) {
    if state.rows.is_empty() {
        let text = "No HTTP request was seen in this time.\n\nServices are traced as soon as they \
            are asked something; nothing has to be changed or restarted. If some should be here, \
            `tracer doctor` says what is traced.";
        let wrap = ratatui::widgets::Wrap { trim: true };
        return frame.render_widget(Paragraph::new(text).wrap(wrap), area);
    }
    let columns = [
        (Sort::Name, "SERVICE / ROUTE"),
        (Sort::Rate, "REQ/S"),
        (Sort::Errors, "ERRORS"),
        (Sort::P50, "P50"),
        (Sort::P95, "P95"),
        (Sort::P99, "P99"),
    ];
    let heads = columns.iter().enumerate().map(|(at, (sort, name))| {
        let text = if *sort == state.sort { format!("{name}▾") } else { (*name).to_owned() };
        if at == 0 { Cell::from(text) } else { Cell::from(Line::from(text).right_aligned()) }
    });
    let wide = area.width >= 90;
    let mut heads: Vec<_> = heads.collect();
    let mut widths = vec![Constraint::Min(20)];
    widths.extend([9, 8, 9, 9, 9].map(Constraint::Length));
    if wide {
        heads.push(Cell::from("CALLERS"));
        widths.push(Constraint::Length(area.width / 4));
    }
    let rows = state.rows.iter().map(|row| line(row, wide));
    let table = Table::new(rows, widths)
        .header(Row::new(heads).style(Style::new().dim().add_modifier(Modifier::UNDERLINED)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut at = TableState::default().with_selected(state.selected);
    frame.render_stateful_widget(table, area, &mut at);
}

fn line(row: &table::Row, callers: bool) -> Row<'static> {
    let red = &row.red;
    let name = match &row.route {
        None => printable(&row.service),
        Some(route) => format!("  {}", printable(route)),
    };
    let failing = share(red) >= MANY_ERRORS;
    let errors =
        if red.errors == 0 { "-".to_owned() } else { format!("{:.1}%", 100.0 * share(red)) };
    let right = |text: String| Cell::from(Line::from(text).right_aligned());
    let errors = right(errors);
    let mut cells = vec![
        Cell::from(name),
        right(format!("{:.1}", red.rate)),
        if failing { errors.style(Style::new().fg(Color::Red)) } else { errors },
    ];
    cells.extend(times(red).map(right));
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

fn times(red: &Red) -> [String; 3] {
    // Milliseconds, never negative; what is no number becomes 0 by the cast.
    [red.p50, red.p95, red.p99].map(|time| waterfall::duration((time * 1e6) as u64))
}

fn latest(frame: &mut Frame<'_>, area: Rect, traces: &[Short], selected: usize) {
    if traces.is_empty() {
        return frame.render_widget(Paragraph::new("None of them is held any more."), area);
    }
    let rows = traces.iter().map(|trace| {
        let failed =
            if trace.errors > 0 { format!("{} failed", trace.errors) } else { String::new() };
        let root = format!("{} {}", printable(&trace.service), printable(&trace.name));
        Row::new([
            Cell::from(time(trace.start)),
            Cell::from(
                Line::from(waterfall::duration((trace.duration * 1e6) as u64)).right_aligned(),
            ),
            Cell::from(Line::from(format!("{} spans", trace.spans)).right_aligned()),
            Cell::from(failed).style(Style::new().fg(Color::Red)),
            Cell::from(root),
            Cell::from(trace.id.clone()).style(Style::new().dim()),
        ])
    });
    let widths = [8, 10, 10, 9].map(Constraint::Length);
    let widths = widths.into_iter().chain([Constraint::Min(16), Constraint::Length(32)]);
    let table =
        Table::new(rows, widths).row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut at = TableState::default().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut at);
}

/// Of the day, in UTC.
fn time(milliseconds: f64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(milliseconds as u64);
    let whole = humantime::format_rfc3339_seconds(time).to_string();
    whole.split_once('T').map_or(String::new(), |(_, time)| time.trim_end_matches('Z').to_owned())
}

fn waterfall(frame: &mut Frame<'_>, area: Rect, trace: &Trace, top: usize) {
    let lines = waterfall::lines(trace, area.width.into());
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
