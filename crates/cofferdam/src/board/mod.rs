//! The overview as text: tiles, tenants by trouble, and what changed, from the last seconds.

pub(crate) mod affairs;
pub(crate) mod format;

use std::sync::Arc;

use crate::observe::event_view::EventView;
use crate::observe::history::{Frame, TenantFrame};
use crate::wire::{AffairView, BoardView, RowView, TileView};
use affairs::{Affair, Severity, Verdict, under_way};
use format::{count, percent, time};

/// Seconds that the figures of a tenant are the mean of, so that they can be read.
const SMOOTH: usize = 5;
/// Points of a tile's line.
const SPARK_LEN: usize = 60;
/// Its size in the units of its drawing.
const SPARK_WIDTH: f32 = 120.0;
const SPARK_HEIGHT: f32 = 28.0;

/// Everything that the overview shows beside its graphs.
pub(crate) struct Board {
    /// The time of its newest figures.
    pub(crate) as_of: String,
    pub(crate) verdict: Verdict,
    pub(crate) affairs: Vec<Affair>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) tenants: Vec<TenantRow>,
    pub(crate) events: Vec<EventView>,
}

/// A figure with its last minute.
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
    /// Points of a line within [`SPARK_WIDTH`] and [`SPARK_HEIGHT`]; empty if nothing is known.
    pub(crate) line: String,
    /// The seconds that it is drawn from.
    minute: Vec<f32>,
}

/// A tenant in the table.
pub(crate) struct TenantRow {
    pub(crate) name: String,
    /// Whether there is a page of it; all others together have none.
    pub(crate) is_one: bool,
    pub(crate) severity: Severity,
    pub(crate) requests: String,
    pub(crate) hits: String,
    pub(crate) p99: String,
    pub(crate) connections: String,
    pub(crate) busy: String,
    pub(crate) memory: String,
    pub(crate) memory_percent: u8,
    /// Empty, as the next three, where there is none of it.
    pub(crate) throttled: String,
    pub(crate) refused: String,
    pub(crate) turned_away: String,
    pub(crate) reconnecting: String,
    trouble: (u32, f32),
}

impl Board {
    /// From the last seconds and events, both the oldest first.
    pub(crate) fn new(recent: &[Arc<Frame>], events: &[EventView], events_max: usize) -> Self {
        let affairs = under_way(events);
        let time_s = recent.last().map_or(0, |frame| frame.time_s);
        let newest = events.iter().rev().take(events_max).cloned();
        Self {
            as_of: clock_time(time_s),
            verdict: Verdict::of(&affairs),
            tiles: tiles(recent),
            tenants: tenants(recent, &affairs),
            affairs,
            events: newest.collect(),
        }
    }
}

impl Board {
    /// The same as data.
    pub(crate) fn view(&self) -> BoardView {
        let affairs = self.affairs.iter().map(|affair| told(&affair.event));
        BoardView {
            as_of: self.as_of.clone(),
            verdict: self.verdict.text.clone(),
            severity: self.verdict.severity.class().to_owned(),
            affairs: affairs.collect(),
            tiles: self.tiles.iter().map(Tile::view).collect(),
            tenants: self.tenants.iter().map(TenantRow::view).collect(),
            events: self.events.iter().map(told).collect(),
        }
    }
}

impl Tile {
    /// With the seconds that its line is drawn from, the oldest first.
    pub(crate) fn new(label: &'static str, value: String, note: String, minute: Vec<f32>) -> Self {
        Self {
            label,
            value,
            note,
            line: spark(&minute),
            minute,
        }
    }

    fn view(&self) -> TileView {
        let known = |value: &f32| Some(*value).filter(|value| value.is_finite());
        TileView {
            label: self.label.to_owned(),
            value: self.value.clone(),
            note: self.note.clone(),
            minute: self.minute.iter().map(known).collect(),
        }
    }
}

impl TenantRow {
    fn view(&self) -> RowView {
        RowView {
            tenant: self.name.clone(),
            refused: self.refused.clone(),
            throttled: self.throttled.clone(),
            reconnecting: self.reconnecting.clone(),
            turned_away: self.turned_away.clone(),
            requests: self.requests.clone(),
            hits: self.hits.clone(),
            p99: self.p99.clone(),
            connections: self.connections.clone(),
            busy: self.busy.clone(),
            memory: self.memory.clone(),
        }
    }
}

fn told(event: &EventView) -> AffairView {
    AffairView {
        time: event.time().to_owned(),
        severity: event.severity().to_owned(),
        state: event.state.clone(),
        sentence: event.sentence.clone(),
        advice: event.advice.clone(),
    }
}

/// `HH:MM:SS` in UTC.
pub(crate) fn clock_time(time_s: u64) -> String {
    let (hours, minutes) = (time_s / 3600 % 24, time_s / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", time_s % 60)
}

fn tiles(recent: &[Arc<Frame>]) -> Vec<Tile> {
    let figure = |name: &'static str| move |frame: &Frame| frame.figure(name).unwrap_or(f32::NAN);
    let requests = |frame: &Frame| {
        let read = |name| frame.figure(name).unwrap_or(f32::NAN);
        read("service/reads") + read("service/writes") + read("service/refused")
    };
    let now = |value: &dyn Fn(&Frame) -> f32| recent.last().map_or(f32::NAN, |f| value(f));
    let tile = |label, shown: String, note: String, value: &dyn Fn(&Frame) -> f32| {
        let first = recent.len().saturating_sub(SPARK_LEN);
        let minute = recent.iter().skip(first).map(|frame| value(frame));
        Tile::new(label, shown, note, minute.collect())
    };
    let p99 = figure("service/p99_s");
    let connections = figure("service/connections");
    let memory = figure("service/held_bytes");
    let refused = figure("service/refused");
    let busy = figure("process/cpu");
    vec![
        tile(
            "Requests a second",
            count(now(&requests)),
            format!("{} reads", count(now(&figure("service/reads")))),
            &requests,
        ),
        tile(
            "Waited, 99th percentile",
            time(now(&p99)),
            format!("half within {}", time(now(&figure("service/p50_s")))),
            &p99,
        ),
        tile(
            "Hit ratio",
            percent(now(&hit_ratio)),
            format!("{} misses a second", count(now(&figure("service/misses")))),
            &hit_ratio,
        ),
        tile(
            "Connections",
            count(now(&connections)),
            format!("{} new a second", count(now(&figure("service/connects")))),
            &connections,
        ),
        tile(
            "Memory",
            format::bytes(now(&memory)),
            format!("of {}", format::bytes(now(&figure("service/quota_bytes")))),
            &memory,
        ),
        tile(
            "Refused a second",
            count(now(&refused)),
            format!("{} of a core busy", percent(now(&busy))),
            &refused,
        ),
    ]
}

fn hit_ratio(frame: &Frame) -> f32 {
    let read = |name| frame.figure(name).unwrap_or(f32::NAN);
    ratio(read("service/hits"), read("service/misses"))
}

fn ratio(hits: f32, misses: f32) -> f32 {
    match hits + misses > 0.0 {
        true => hits / (hits + misses),
        false => f32::NAN,
    }
}

/// A line from the left to the right edge whose lowest point is at least 0, in the form of SVG's
/// `points`; what is not known is left out.
fn spark(values: &[f32]) -> String {
    let greatest = values
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(0.0, f32::max);
    let step = SPARK_WIDTH / (SPARK_LEN - 1) as f32;
    let first = SPARK_LEN.saturating_sub(values.len());
    let points = values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite());
    let points = points.map(|(index, value)| {
        let x = (first + index) as f32 * step;
        let share = if greatest > 0.0 {
            value / greatest
        } else {
            0.0
        };
        let y = SPARK_HEIGHT - 1.0 - share * (SPARK_HEIGHT - 3.0);
        format!("{x:.1},{y:.1}")
    });
    points.collect::<Vec<String>>().join(" ")
}

/// Those in trouble first, then those that ask most.
fn tenants(recent: &[Arc<Frame>], affairs: &[Affair]) -> Vec<TenantRow> {
    let Some(last) = recent.last() else {
        return Vec::new();
    };
    let first = recent.len().saturating_sub(SMOOTH);
    let window = recent.get(first..).unwrap_or_default();
    let mut rows: Vec<TenantRow> = last
        .tenants
        .iter()
        .map(|tenant| row(tenant, window, affairs))
        .collect();
    rows.sort_by(|a, b| {
        let worse = b.trouble.0.cmp(&a.trouble.0);
        let busier = b.trouble.1.total_cmp(&a.trouble.1);
        worse.then(busier).then_with(|| a.name.cmp(&b.name))
    });
    rows
}

fn row(tenant: &TenantFrame, window: &[Arc<Frame>], affairs: &[Affair]) -> TenantRow {
    let mean = |figure: &str| mean_of(tenant, window, figure);
    let is_told = |kind: &str| {
        let of_it = affairs
            .iter()
            .filter(|a| a.event.tenant.as_deref() == Some(&*tenant.name));
        let kinds: Vec<&str> = of_it.map(|affair| affair.event.event.as_str()).collect();
        kinds.contains(&kind)
    };
    let shown = |is_there: bool, text: String| if is_there { text } else { String::new() };
    let (paused, refused) = (mean("paused"), mean("refused"));
    let (connects, away) = (mean("connects"), mean("connects_refused"));
    let is_throttled = paused > 0.0 || is_told("tenant_throttled");
    let is_refused = refused > 0.0 || is_told("tenant_refused");
    let is_away = away > 0.0 || is_told("tenant_connections_refused");
    let is_reconnecting = is_told("clients_reconnecting") || is_told("logins_failing");
    let requests = mean("reads") + mean("writes") + refused;
    let troubles = [
        (is_refused, 8),
        (is_away, 4),
        (is_reconnecting, 2),
        (is_throttled, 1),
    ];
    let trouble: u32 = troubles
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, weight)| weight)
        .sum();
    let (held, quota) = (tenant.get("held_bytes"), tenant.get("quota_bytes"));
    TenantRow {
        name: tenant.name.to_string(),
        is_one: &*tenant.name != "other",
        severity: if trouble > 0 {
            Severity::Limited
        } else {
            Severity::Well
        },
        requests: count(requests),
        hits: percent(ratio(mean("hits"), mean("misses"))),
        p99: time(greatest_of(tenant, window, "p99_s")),
        connections: count(tenant.get("connections")),
        busy: percent(mean("busy")),
        memory: format!("{} of {}", format::bytes(held), format::bytes(quota)),
        memory_percent: (held / quota.max(1.0) * 100.0).clamp(0.0, 100.0) as u8,
        throttled: shown(
            is_throttled,
            format!("{} of the time", percent(paused.min(1.0))),
        ),
        refused: shown(is_refused, format!("{}/s", count(refused))),
        turned_away: shown(is_away, format!("{}/s", count(away))),
        reconnecting: shown(is_reconnecting, format!("{}/s", count(connects))),
        trouble: (trouble, requests),
    }
}

/// What is known of a tenant's figure over a window.
fn known<'a>(
    tenant: &'a TenantFrame,
    window: &'a [Arc<Frame>],
    figure: &'a str,
) -> impl Iterator<Item = f32> + 'a {
    let own = window.iter().filter_map(|frame| frame.tenant(&tenant.name));
    own.map(move |tenant| tenant.get(figure))
        .filter(|value| value.is_finite())
}

fn mean_of(tenant: &TenantFrame, window: &[Arc<Frame>], figure: &str) -> f32 {
    let (mut sum, mut seconds) = (0.0, 0u16);
    for value in known(tenant, window, figure) {
        sum += value;
        seconds += 1;
    }
    sum / f32::from(seconds.max(1))
}

fn greatest_of(tenant: &TenantFrame, window: &[Arc<Frame>], figure: &str) -> f32 {
    known(tenant, window, figure)
        .reduce(f32::max)
        .unwrap_or(f32::NAN)
}

#[cfg(test)]
#[path = "board_test.rs"]
mod tests;
