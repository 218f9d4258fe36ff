//! A trace as text, for standard output.

use std::io::{IsTerminal as _, stdout};

use ratatui::crossterm::style::{Color, Stylize as _};
use ratatui::crossterm::terminal::size;

use super::{Line, Part, Trace, lines, title};

/// Columns where standard output is no terminal.
const WIDTH: usize = 120;

/// Columns that standard output has.
pub(crate) fn width() -> usize {
    let size = size().ok().filter(|(width, _)| *width > 0 && stdout().is_terminal());
    size.map_or(WIDTH, |(width, _)| width.into())
}

/// Whether colours are wanted there (<https://no-color.org>).
pub(crate) fn colours() -> bool {
    stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

/// Title and lines, each with its line feed.
pub(crate) fn text(trace: &Trace, width: usize, colours: bool) -> String {
    let painted = lines(trace, width).into_iter().map(|line| paint(&line, colours));
    std::iter::once(title(trace)).chain(painted).map(|line| line + "\n").collect()
}

fn paint(line: &Line, colours: bool) -> String {
    let paint = |(part, text): &(Part, String)| match part {
        _ if !colours => text.clone(),
        Part::Plain => text.clone(),
        Part::Server => text.clone().with(Color::Blue).to_string(),
        Part::Client => text.clone().with(Color::Cyan).to_string(),
        Part::Failed => text.clone().with(Color::Red).to_string(),
        Part::Evidence => text.clone().with(Color::DarkGrey).to_string(),
    };
    line.iter().map(paint).collect::<String>().trim_end().to_owned()
}
