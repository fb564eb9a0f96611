//! `cofferdam top`: the console's overview in a terminal.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{DefaultTerminal, Terminal};
use runtime::http::Method;

use super::access::Access;
use super::global::Global;
use super::output;
use super::top_screen::{Screen, draw};
use crate::failure::Failure;
use crate::wire::BoardView;

const PERIOD: Duration = Duration::from_secs(1);
/// What is printed where nobody looks: as wide as a terminal usually is.
const PLAIN_WIDTH: u16 = 120;
const PLAIN_HEIGHT: u16 = 60;

/// What `top` takes.
#[derive(Args, Debug)]
pub(crate) struct TopArgs {
    /// Print one picture as text and end; what is done anyway where the output is no terminal
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(global: &Global, args: &TopArgs) -> Result<(), Failure> {
    let access = Access::daemon(global)?;
    let board = ask(&access)?;
    if global.json {
        return output::json(&board);
    }
    if args.once || !io::stdout().is_terminal() {
        return output::text(&plain(&board)?);
    }
    let mut terminal = ratatui::try_init()?;
    let outcome = follow(&mut terminal, &access, board);
    ratatui::restore();
    outcome
}

fn ask(access: &Access) -> Result<BoardView, Failure> {
    access.ask(Method::GET, "/v1/board", None::<&()>)
}

/// The picture as text, without the empty rows at its end.
fn plain(board: &BoardView) -> Result<String, Failure> {
    let backend = TestBackend::new(PLAIN_WIDTH, PLAIN_HEIGHT);
    let Ok(mut terminal) = Terminal::new(backend);
    let screen = Screen::default();
    let Ok(_) = terminal.draw(|frame| draw(frame, board, &screen));
    let buffer = terminal.backend().buffer();
    let cells = buffer.content().chunks(usize::from(PLAIN_WIDTH));
    let rows = cells.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
    let filled = rows.iter().rposition(|row| !row.is_empty());
    let rows = rows
        .get(..filled.map_or(0, |last| last + 1))
        .unwrap_or_default();
    Ok(rows.join("\n") + "\n")
}

/// Draws until somebody has seen enough. A daemon that does not answer is said, and asked again.
fn follow(
    terminal: &mut DefaultTerminal,
    access: &Access,
    mut board: BoardView,
) -> Result<(), Failure> {
    let mut screen = Screen::default();
    loop {
        terminal.draw(|frame| draw(frame, &board, &screen))?;
        if event::poll(PERIOD)? {
            if let Event::Key(key) = event::read()?
                && !take(key, &mut screen, board.tenants.len())
            {
                return Ok(());
            }
            continue;
        }
        match ask(access) {
            Ok(newer) => {
                board = newer;
                screen.failure = None;
            }
            Err(failure) => screen.failure = Some(failure.to_string()),
        }
    }
}

/// Follows a key; whether to go on.
fn take(key: KeyEvent, screen: &mut Screen, tenants: usize) -> bool {
    let last = tenants.saturating_sub(1);
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return false,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return false,
        KeyCode::Down | KeyCode::Char('j') => screen.first = (screen.first + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => screen.first = screen.first.saturating_sub(1),
        KeyCode::Home => screen.first = 0,
        KeyCode::End => screen.first = last,
        _ => {}
    }
    true
}

#[cfg(test)]
#[path = "top_test.rs"]
mod tests;
