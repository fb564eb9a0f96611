//! The whole page as files, so that any server can serve it, wherever.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::Timestamp;
use status::maintenance::Stage;
use status::page::{self, Place};
use status::view::View;
use status::{api_v2, feeds, svg};

use super::hub::Hub;

/// No copy is to be older than what caches may hold.
const EVERY: Duration = Duration::from_secs(10);
const TOP: Place = Place::Files { depth: 0 };
const BELOW: Place = Place::Files { depth: 1 };

/// Writes the page into a folder again and again.
pub(super) struct Exporter {
    folder: PathBuf,
    written: Timestamp,
    is_failing: bool,
}

impl Exporter {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            written: Timestamp::ZERO,
            is_failing: false,
        }
    }

    /// Writes it, if it is time.
    pub(super) fn tick(&mut self, hub: &Hub, now: Timestamp) {
        if now.since(self.written) < EVERY {
            return;
        }
        self.written = now;
        let files = hub.show(files);
        let written = files
            .iter()
            .try_for_each(|(name, text)| write(&self.folder.join(name), text));
        match (&written, self.is_failing) {
            (Err(error), false) => {
                tracing::error!(%error, folder = %self.folder.display(), "status: not exported");
            }
            (Ok(()), true) => tracing::info!("status: exported again"),
            _ => {}
        }
        self.is_failing = written.is_err();
    }
}

/// Every file by its name, the first page last, so that it leads nowhere that is not there yet.
fn files(view: &View<'_>) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, text: String| files.push((name.to_owned(), text));
    add("status.css", page::STYLE.to_owned());
    add("status.js", page::SCRIPT.to_owned());
    add("icon.svg", page::ICON.to_owned());
    add("badge.svg", svg::badge(view));
    add("history.atom", feeds::atom(view));
    add("history.rss", feeds::rss(view));
    add("history.html", page::history(view, &TOP));
    let stage = |stage| api_v2::maintenances(view, Some(stage));
    for (name, value) in [
        ("summary", api_v2::summary(view)),
        ("status", api_v2::status(view)),
        ("components", api_v2::components(view)),
        ("incidents", api_v2::incidents(view)),
        ("incidents/unresolved", api_v2::unresolved(view)),
        ("scheduled-maintenances", api_v2::maintenances(view, None)),
        ("scheduled-maintenances/upcoming", stage(Stage::Scheduled)),
        ("scheduled-maintenances/active", stage(Stage::InProgress)),
    ] {
        add(&format!("api/v2/{name}.json"), value.to_string());
    }
    for incident in &view.incidents {
        if let Some(text) = page::incident(view, incident.id, &BELOW) {
            add(&format!("incidents/{}.html", incident.id), text);
        }
    }
    for component in view.components() {
        let key = &component.component().key;
        if let Some(text) = page::component(view, key, &BELOW) {
            add(&format!("components/{key}.html"), text);
        }
    }
    add("index.html", page::index(view, &TOP));
    files
}

/// Writes a file whole: nobody reads half of it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    fs::write(&name, text)?;
    fs::rename(&name, path)
}

#[cfg(test)]
#[path = "export_test.rs"]
mod tests;
