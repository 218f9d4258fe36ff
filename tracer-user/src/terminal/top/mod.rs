//! `tracer top`: services and routes as they are now, their latest traces, and one of these.

mod columns;
#[cfg(test)]
mod fixtures;
mod own;
mod state;
mod table;
mod view;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::server::{Reach, Server};
use super::wire::{Map, Trace, Traces};
use own::Own;
use state::{Action, State};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a key may wait while nothing else happens.
const TICK: Duration = Duration::from_millis(100);
/// Latest traces of a route.
const LATEST: &str = "100";

/// Shows the running tracer's live table until `q` is pressed. If none runs, and no
/// place is named, one is started for as long as it is looked at. `directory`: where a tracer keeps its token.
///
/// # Errors
/// No tracer answers, or none can be started; there is no terminal.
pub async fn top(reach: &Reach, directory: &Path, window: Duration) -> Result<()> {
    let mut server = Server::new(reach, directory)?;
    let mut own = None;
    if !server.is_there().await && reach.url.is_none() {
        eprintln!("no tracer runs; starting one");
        let started = Own::start().await?;
        server =
            Server::new(&Reach { url: Some(started.url.clone()), ..Reach::default() }, directory)?;
        own = Some(started);
    }
    let window = window.as_secs().max(1).to_string();
    // Whatever is wrong at the start is told before the screen is taken.
    let map = server.get("ui/map", &[("seconds", &window)]).await?;
    let mut state = State::new(map);
    let mut terminal = ratatui::try_init().context("top needs a terminal")?;
    let shown = show(&mut terminal, &server, &mut state, &window).await;
    ratatui::restore();
    if let Some(own) = own {
        own.stop().await;
    }
    shown
}

async fn show(
    terminal: &mut DefaultTerminal,
    server: &Server,
    state: &mut State,
    window: &str,
) -> Result<()> {
    let mut looked = Instant::now();
    loop {
        terminal.draw(|frame| view::draw(frame, state))?;
        if looked.elapsed() >= PAUSE && !state.paused {
            looked = Instant::now();
            let map: Result<Map> = server.get("ui/map", &[("seconds", window)]).await;
            state.update(map);
        }
        let Some(key) = key()? else { continue };
        match state.key(key) {
            Action::None => {}
            Action::Quit => return Ok(()),
            Action::Latest { service, route } => {
                let query = [("service", &*service), ("name", &route), ("limit", LATEST)];
                let traces: Result<Traces> = server.get("ui/traces", &query).await;
                state.latest(&service, &route, traces);
            }
            Action::Trace(id) => {
                let trace: Result<Trace> = server.get(&format!("ui/trace/{id}"), &[]).await;
                state.trace(trace);
            }
        }
    }
}

/// The next key, if one is pressed soon.
fn key() -> Result<Option<KeyCode>> {
    if !event::poll(TICK)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(KeyEvent { code: KeyCode::Char('c'), modifiers, .. })
            if modifiers.contains(KeyModifiers::CONTROL) =>
        {
            Some(KeyCode::Char('q'))
        }
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(key.code),
        _ => None,
    })
}
