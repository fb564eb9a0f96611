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
/// Words, a minute, and a row between.
const TILE_HEIGHT: u16 = 4;
/// Below so many columns figures stand in two rows, and a tenant's has what matters most.
const NARROW: u16 = 112;
/// What all other columns of a wide table take.
const REST_WIDTH: u16 = 94;
const TENANT_WIDTH: std::ops::RangeInclusive<u16> = 16..=40;

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
    let tiles = match frame.area().width < NARROW {
        true => 2 * TILE_HEIGHT - 1,
        false => TILE_HEIGHT,
    };
    let parts = [
        Constraint::Length(1),
        Constraint::Length(affairs + 1),
        Constraint::Length(tiles),
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
        let width = usize::from(area.width).saturating_sub(affair.time.len() + 10);
        let style = match (affair.state.as_str(), affair.severity.as_str()) {
            ("ended" | "happened", _) | (_, "well") => soft(),
            (_, "limited") => Style::new().fg(Color::Yellow),
            _ => Style::new().fg(Color::Red),
        };
        Line::from(vec![
            Span::styled(format!("{} ", affair.time), soft()),
            Span::styled(format!("{:9}", affair.state), style),
            Span::raw(cut(&affair.sentence, width)),
        ])
    };
    let lines: Vec<Line<'_>> = affairs.iter().take(count).map(line).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn figures(frame: &mut Frame<'_>, area: Rect, tiles: &[TileView]) {
    if area.width >= NARROW {
        return row_of_figures(frame, area, tiles);
    }
    let (upper, lower) = tiles.split_at(tiles.len().div_ceil(2));
    let rows = [
        Constraint::Length(TILE_HEIGHT - 1),
        Constraint::Length(TILE_HEIGHT - 1),
    ];
    let [above, below] = Layout::vertical(rows).areas(area);
    row_of_figures(frame, above, upper);
    row_of_figures(frame, below, lower);
}

fn row_of_figures(frame: &mut Frame<'_>, area: Rect, tiles: &[TileView]) {
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
    let is_narrow = area.width < NARROW;
    let longest = tenants.iter().map(|tenant| tenant.tenant.chars().count());
    let room = area
        .width
        .saturating_sub(REST_WIDTH)
        .min(*TENANT_WIDTH.end());
    let wanted = longest.max().unwrap_or(0).min(usize::from(room)) as u16;
    let name_width = match is_narrow {
        true => area.width.saturating_sub(NARROW_REST_WIDTH),
        false => wanted.max(*TENANT_WIDTH.start()),
    };
    let columns: &[Column] = if is_narrow { &NARROW_COLUMNS } else { &COLUMNS };
    let line = |column: &Column, tenant: &RowView| column.line(tenant, is_narrow, name_width);
    let rows = tenants
        .iter()
        .map(|tenant| Row::new(columns.iter().map(|column| line(column, tenant))));
    let titles = columns.iter().map(|column| match column.is_left() {
        true => Line::from(column.title),
        false => Line::from(column.title).right_aligned(),
    });
    let widths = columns.iter().map(|column| match column.width {
        0 => Constraint::Length(name_width),
        width => Constraint::Length(width),
    });
    let table = Table::new(rows, widths)
        .header(Row::new(titles).style(soft()))
        .column_spacing(1);
    frame.render_widget(table, area);
}

/// A column of the table of tenants.
struct Column {
    of: Of,
    title: &'static str,
    /// 0: as wide as a name needs.
    width: u16,
}

#[derive(Clone, Copy)]
enum Of {
    Name,
    Refused,
    Throttled,
    Reconnects,
    Requests,
    Hits,
    P99,
    Connections,
    Core,
    Memory,
}

const fn column(of: Of, title: &'static str, width: u16) -> Column {
    Column { of, title, width }
}

const COLUMNS: [Column; 10] = [
    column(Of::Name, "TENANT", 0),
    column(Of::Refused, "REFUSED", 9),
    column(Of::Throttled, "THROTTLED", 9),
    column(Of::Reconnects, "RECONNECTS", 12),
    column(Of::Requests, "REQ/S", 7),
    column(Of::Hits, "HITS", 7),
    column(Of::P99, "P99", 8),
    column(Of::Connections, "CONNS", 6),
    column(Of::Core, "CORE", 7),
    column(Of::Memory, "MEMORY", 20),
];

const NARROW_COLUMNS: [Column; 8] = [
    column(Of::Name, "TENANT", 0),
    column(Of::Refused, "REFUSED", 8),
    column(Of::Throttled, "WAITS", 7),
    column(Of::Reconnects, "RECONNECTS", 10),
    column(Of::Requests, "REQ/S", 6),
    column(Of::Hits, "HITS", 6),
    column(Of::P99, "P99", 7),
    column(Of::Memory, "HELD", 8),
];
/// All of them but the name, and a space before each.
const NARROW_REST_WIDTH: u16 = 59;

impl Column {
    fn is_left(&self) -> bool {
        matches!(
            self.of,
            Of::Name | Of::Refused | Of::Throttled | Of::Reconnects
        )
    }

    fn line(&self, tenant: &RowView, is_narrow: bool, name_width: u16) -> Line<'static> {
        let (red, yellow) = (Style::new().fg(Color::Red), Style::new().fg(Color::Yellow));
        let right = |text: &str| Line::from(text.to_owned()).right_aligned();
        match self.of {
            Of::Name => Line::from(cut(&tenant.tenant, usize::from(name_width))),
            Of::Refused => Line::styled(tenant.refused.clone(), red),
            Of::Throttled => Line::styled(tenant.throttled.replace(" of the time", ""), yellow),
            Of::Reconnects => Line::styled(reconnects(tenant), yellow),
            Of::Requests => right(&tenant.requests),
            Of::Hits => right(&tenant.hits),
            Of::P99 => right(&tenant.p99),
            Of::Connections => right(&tenant.connections),
            Of::Core => right(&tenant.busy),
            // What it may have is the first to go where there is no room.
            Of::Memory if is_narrow => {
                let held = tenant.memory.split(" of ").next();
                right(held.unwrap_or_default())
            }
            Of::Memory => right(&tenant.memory),
        }
    }
}

fn reconnects(tenant: &RowView) -> String {
    match (tenant.reconnecting.as_str(), tenant.turned_away.as_str()) {
        (reconnecting, "") => reconnecting.to_owned(),
        (reconnecting, away) => format!("{reconnecting} {away} away").trim().to_owned(),
    }
}

/// As much of a text as there is room for, and a sign where that is not all.
fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(width.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

fn soft() -> Style {
    Style::new().fg(Color::DarkGray)
}
