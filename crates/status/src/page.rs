//! The pages as HTML: rendered on the server, whole without a script.

mod chrome;
mod rows;

use askama::Template;

pub use chrome::{Chrome, Place};
pub(crate) use rows::{IncidentRow, WindowRow};

use crate::civil::{date_text, span};
use crate::history::{Day, percent, uptime_ppm};
use crate::level::Level;
use crate::svg::{self, Graph};
use crate::view::{ComponentView, View};

/// The pages' style sheet.
pub const STYLE: &str = include_str!("../assets/status.css");
/// What renews a page while it is looked at.
pub const SCRIPT: &str = include_str!("../assets/status.js");
/// The pages' icon.
pub const ICON: &str = include_str!("../assets/icon.svg");

/// Incidents that are over, on the first page.
const PAST_MAX: usize = 10;
/// Open incidents whose timeline is on the first page, and updates of each.
const OPEN_MAX: usize = 5;
const UPDATES_SHOWN: usize = 8;

struct GroupRow<'a> {
    name: &'a str,
    class: &'static str,
    text: &'static str,
    components: Vec<ComponentRow<'a>>,
}

struct ComponentRow<'a> {
    key: &'a str,
    name: &'static str,
    class: &'static str,
    text: &'static str,
    bars: String,
    uptime: String,
    label: String,
}

impl<'a> ComponentRow<'a> {
    fn of(one: &'a ComponentView<'a>) -> Self {
        let levels = one.levels();
        let uptime = uptime_text(one.uptime_ppm());
        let bad = levels.iter().filter(|level| level.is_trouble()).count();
        let unknown = levels
            .iter()
            .filter(|level| **level == Level::NoData)
            .count();
        let label = format!("{uptime}; {bad} days with trouble, {unknown} without data");
        Self {
            key: &one.component().key,
            name: one.component().path.name(),
            class: one.level.class(),
            text: one.level.text(),
            bars: svg::bars(&levels),
            uptime,
            label,
        }
    }
}

fn uptime_text(ppm: Option<u32>) -> String {
    match ppm {
        Some(ppm) => format!("{} uptime", percent(ppm)),
        None => "no data yet".to_owned(),
    }
}

#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    chrome: Chrome,
    class: &'static str,
    sign: &'static str,
    headline: &'static str,
    open: Vec<IncidentRow>,
    windows: Vec<WindowRow>,
    groups: Vec<GroupRow<'a>>,
    graph: Graph,
    past: Vec<IncidentRow>,
}

/// The first page.
pub fn index(view: &View<'_>, place: &Place) -> String {
    let groups = view.groups.iter().map(|group| GroupRow {
        name: group.name,
        class: group.level.class(),
        text: group.level.text(),
        components: group.components.iter().map(ComponentRow::of).collect(),
    });
    let over = view.incidents.iter().filter(|one| !one.is_open());
    render(&Index {
        chrome: Chrome::new(&view.site.name, view.now, None, place),
        class: view.level.class(),
        sign: match view.level {
            Level::Operational => "✓",
            Level::NoData => "?",
            Level::Maintenance => "–",
            _ => "!",
        },
        headline: view.headline(),
        open: view
            .open_incidents()
            .take(OPEN_MAX)
            .map(|one| IncidentRow::of(one, view.now, UPDATES_SHOWN))
            .collect(),
        windows: WindowRow::pending(view.maintenances.iter().copied(), view.now),
        groups: groups.collect(),
        graph: svg::graph(view),
        past: over
            .take(PAST_MAX)
            .map(|one| IncidentRow::of(one, view.now, 0))
            .collect(),
    })
}

#[derive(Template)]
#[template(path = "history.html")]
struct History {
    chrome: Chrome,
    incidents: Vec<IncidentRow>,
}

/// The page of all incidents.
pub fn history(view: &View<'_>, place: &Place) -> String {
    let incidents = view.incidents.iter();
    render(&History {
        chrome: Chrome::new(&view.site.name, view.now, Some("All incidents"), place),
        incidents: incidents
            .map(|one| IncidentRow::of(one, view.now, 0))
            .collect(),
    })
}

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    chrome: Chrome,
    one: IncidentRow,
}

/// The page of one incident, if there is one of this number that all may see.
pub fn incident(view: &View<'_>, id: u64, place: &Place) -> Option<String> {
    let found = view.incidents.iter().find(|one| one.id == id)?;
    let mut one = IncidentRow::of(found, view.now, usize::MAX);
    let touched = view
        .components()
        .filter(|component| found.components.contains(&component.component().key));
    let names: Vec<String> = touched.map(|one| one.component().full_name()).collect();
    one.components = names.join(", ");
    Some(render(&IncidentPage {
        chrome: Chrome::new(&view.site.name, view.now, Some(&found.title), place),
        one,
    }))
}

struct DayRow {
    date: String,
    class: &'static str,
    text: &'static str,
    uptime: String,
    major: String,
    partial: String,
    slow: String,
    known: String,
}

impl DayRow {
    fn of(number: u64, day: &Day, level: Level) -> Self {
        let length = |ms: u32| match ms {
            0 => "–".to_owned(),
            ms => span(std::time::Duration::from_millis(ms.into())),
        };
        Self {
            date: date_text(number),
            class: level.class(),
            text: level.text(),
            uptime: uptime_ppm([day]).map_or("–".to_owned(), percent),
            major: length(day.major_ms),
            partial: length(day.partial_ms),
            slow: length(day.degraded_ms),
            known: span(day.known()),
        }
    }
}

#[derive(Template)]
#[template(path = "component.html")]
struct ComponentPage {
    chrome: Chrome,
    name: String,
    class: &'static str,
    text: &'static str,
    uptime: String,
    days: Vec<DayRow>,
}

/// The page of one component, day by day.
pub fn component(view: &View<'_>, key: &str, place: &Place) -> Option<String> {
    let one = view.components().find(|one| one.component().key == key)?;
    let name = one.component().full_name();
    let days = one.days.iter().zip(one.levels()).rev();
    Some(render(&ComponentPage {
        chrome: Chrome::new(&view.site.name, view.now, Some(&name), place),
        name,
        class: one.level.class(),
        text: one.level.text(),
        uptime: uptime_text(one.uptime_ppm()),
        days: days
            .map(|((number, day), level)| DayRow::of(*number, day, level))
            .collect(),
    }))
}

/// A template of ours fails only where its writer does, and a `String` never fails.
pub(crate) fn render(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}

#[cfg(test)]
#[path = "page_test.rs"]
mod tests;
