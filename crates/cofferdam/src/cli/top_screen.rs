//! What `cofferdam top` draws: verdict, figures with their last minute, tenants, what changed.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Sparkline, Table};

use crate::wire::{AffairView, BoardView, RowView, TileView};

/// Affairs that have room; there are rarely more.
const AFFAIRS_MAX: usize = 4;
const EVENTS_MAX: usize = 5;
const TILE_HEIGHT: u16 = 4;

/// What the one who looks has chosen, and what keeps us from news.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// The first tenant shown.
    pub(super) first: usize,
    pub(super) failure: Option<String>,
}

/// Draws all of it; in a low terminal tenants and events give way.
pub(super) fn draw(frame: &mut Frame<'_>, board: &BoardView, screen: &Screen) {
    let affairs = board.affairs.len().min(AFFAIRS_MAX) as u16;
    let tenants = (board.tenants.len().saturating_sub(screen.first) as u16).saturating_add(1);
    let events = board.events.len().min(EVENTS_MAX) as u16;
    let parts = [
        Constraint::Length(1),
        Constraint::Length(affairs + 1),
        Constraint::Length(TILE_HEIGHT),
        Constraint::Max(tenants.saturating_add(1)),
        Constraint::Max(events + 1),
        Constraint::Min(0),
        Constraint::Length(1),
    ];
    let [head, now, tiles, rows, changes, _, foot] = Layout::vertical(parts).areas(frame.area());
    verdict(frame, head, board, screen);
    told(frame, now, &board.affairs, AFFAIRS_MAX);
    figures(frame, tiles, &board.tiles);
    table(
        frame,
        rows,
        board.tenants.get(screen.first..).unwrap_or_default(),
    );
    told(frame, changes, &board.events, EVENTS_MAX);
    let keys = Span::styled("q quits  ↑↓ tenants", soft());
    frame.render_widget(keys, foot);
}

fn verdict(frame: &mut Frame<'_>, area: Rect, board: &BoardView, screen: &Screen) {
    let (mark, colour) = match board.severity.as_str() {
        "well" => ("●", Color::Green),
        "limited" => ("◆", Color::Yellow),
        _ => ("▲", Color::Red),
    };
    let bold = Style::new().fg(colour).add_modifier(Modifier::BOLD);
    let line = match &screen.failure {
        None => vec![
            Span::styled(format!("{mark} {}", board.verdict), bold),
            Span::styled(format!("  as of {} UTC", board.as_of), soft()),
        ],
        // What is shown is of the past, and nobody knows what is now.
        Some(failure) => vec![Span::styled(
            format!("? no news since {} UTC: {failure}", board.as_of),
            Style::new().fg(Color::Red),
        )],
    };
    frame.render_widget(Line::from(line), area);
}

fn told(frame: &mut Frame<'_>, area: Rect, affairs: &[AffairView], count: usize) {
    let line = |affair: &AffairView| {
        let style = match (affair.state.as_str(), affair.severity.as_str()) {
            ("ended" | "happened", _) | (_, "well") => soft(),
            (_, "limited") => Style::new().fg(Color::Yellow),
            _ => Style::new().fg(Color::Red),
        };
        Line::from(vec![
            Span::styled(format!("{} ", affair.time), soft()),
            Span::styled(format!("{:9}", affair.state), style),
            Span::raw(affair.sentence.clone()),
        ])
    };
    let lines: Vec<Line<'_>> = affairs.iter().take(count).map(line).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn figures(frame: &mut Frame<'_>, area: Rect, tiles: &[TileView]) {
    let count = tiles.len().max(1) as u32;
    let widths = tiles.iter().map(|_| Constraint::Ratio(1, count));
    let areas = Layout::horizontal(widths).spacing(2).split(area);
    for (tile, area) in tiles.iter().zip(areas.iter()) {
        let lines = [Constraint::Length(2), Constraint::Length(1)];
        let [text, line] = Layout::vertical(lines).areas(*area);
        let value = Style::new().add_modifier(Modifier::BOLD);
        let words = vec![
            Line::styled(tile.label.clone(), soft()),
            Line::from(vec![
                Span::styled(format!("{} ", tile.value), value),
                Span::styled(tile.note.clone(), soft()),
            ]),
        ];
        frame.render_widget(Paragraph::new(words), text);
        frame.render_widget(minute(&tile.minute, line.width), line);
    }
}

/// The last seconds that fit, in eight heights from 0 to the greatest.
fn minute(values: &[Option<f32>], width: u16) -> Sparkline<'_> {
    let first = values.len().saturating_sub(usize::from(width));
    let values = values.get(first..).unwrap_or_default();
    let greatest = values
        .iter()
        .flatten()
        .copied()
        .fold(f32::MIN_POSITIVE, f32::max);
    let height = |value: &Option<f32>| value.map_or(0, |v| (v / greatest * 8.0).ceil() as u64);
    let heights: Vec<u64> = values.iter().map(height).collect();
    Sparkline::default()
        .data(heights)
        .max(8)
        .style(Style::new().fg(Color::Blue))
}

fn table(frame: &mut Frame<'_>, area: Rect, tenants: &[RowView]) {
    let header = [
        "TENANT",
        "REFUSED",
        "THROTTLED",
        "RECONNECTS",
        "REQ/S",
        "HITS",
        "P99",
        "CONNS",
        "CORE",
        "MEMORY",
    ];
    let red = Style::new().fg(Color::Red);
    let yellow = Style::new().fg(Color::Yellow);
    let rows = tenants.iter().map(|tenant| {
        let away = match (tenant.reconnecting.as_str(), tenant.turned_away.as_str()) {
            (reconnecting, "") => reconnecting.to_owned(),
            (reconnecting, away) => format!("{reconnecting} {away} away").trim().to_owned(),
        };
        let waits = tenant.throttled.replace(" of the time", "");
        Row::new([
            Line::from(tenant.tenant.clone()),
            Line::styled(tenant.refused.clone(), red),
            Line::styled(waits, yellow),
            Line::styled(away, yellow),
            Line::from(tenant.requests.clone()).right_aligned(),
            Line::from(tenant.hits.clone()).right_aligned(),
            Line::from(tenant.p99.clone()).right_aligned(),
            Line::from(tenant.connections.clone()).right_aligned(),
            Line::from(tenant.busy.clone()).right_aligned(),
            Line::from(tenant.memory.clone()).right_aligned(),
        ])
    });
    let widths = [16, 9, 9, 12, 7, 7, 8, 6, 7, 20].map(Constraint::Length);
    let titles = header
        .iter()
        .enumerate()
        .map(|(column, title)| match column {
            0..=3 => Line::from(*title),
            _ => Line::from(*title).right_aligned(),
        });
    let table = Table::new(rows, widths)
        .header(Row::new(titles).style(soft()))
        .column_spacing(1);
    frame.render_widget(table, area);
}

fn soft() -> Style {
    Style::new().fg(Color::DarkGray)
}
