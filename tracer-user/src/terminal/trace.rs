//! `tracer trace ID`.

use std::io::{IsTerminal as _, Write as _, stdout};
use std::path::Path;

use anyhow::Result;
use ratatui::crossterm::style::{Color, Stylize as _};
use ratatui::crossterm::terminal::size;

use super::server::{Format, Reach, Server};
use super::waterfall::{self, Line, Part};
use super::wire::Trace;

/// Columns where standard output is no terminal.
const WIDTH: usize = 120;

/// Prints one trace that the running tracer holds. `directory`: where that keeps its token.
///
/// # Errors
/// No tracer answers, or it holds no such trace; standard output can't be written.
pub async fn trace(reach: &Reach, directory: &Path, id: &str, format: Format) -> Result<()> {
    let server = Server::new(reach, directory)?;
    let text = match format {
        Format::Waterfall => {
            let trace: Trace = server.get(&format!("ui/trace/{id}"), &[]).await?;
            let to_people = stdout().is_terminal();
            let width = size().ok().filter(|_| to_people).map_or(WIDTH, |(width, _)| width.into());
            let colours = to_people && std::env::var_os("NO_COLOR").is_none();
            let lines = waterfall::lines(&trace, width);
            let painted = lines.iter().map(|line| paint(line, colours));
            let title = waterfall::title(&trace);
            std::iter::once(title).chain(painted).map(|line| line + "\n").collect::<String>().into()
        }
        Format::Otlp => server.file(id, "otlp").await?,
        Format::Zipkin => server.file(id, "zipkin").await?,
    };
    let mut out = stdout().lock();
    out.write_all(&text)?;
    if !text.ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    Ok(())
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
