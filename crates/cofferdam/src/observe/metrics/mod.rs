//! The page of `/metrics`, written anew for whoever asks.

mod columns;
mod fleet;
mod host;
mod machine;
mod process;
mod rows;
mod tenants;
mod volume_operations;
mod volumes;

use runtime::observe::exposition::{Exposition, Kind};
use runtime::volumes::VolumeStatus;

use super::reading::Reading;
use super::snapshot::Snapshot;
pub(crate) use machine::MachinePage;
pub(crate) use rows::TenantRows;

/// What the page is written from.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) reading: &'a Reading,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) volumes: &'a [VolumeStatus],
    /// Events written since the start, by kind.
    pub(crate) events: &'a [(&'static str, u64)],
    pub(crate) held_back: u64,
    /// Seconds since the Unix epoch.
    pub(crate) started_s: f64,
}

/// The whole page.
pub(crate) fn page(sources: &Sources<'_>, rows: &mut TenantRows) -> String {
    let mut page = Exposition::default();
    process::write(&mut page, sources);
    tenants::write(&mut page, rows, &sources.reading.tenants);
    fleet::write(&mut page, sources.reading.fleet.as_ref());
    let member = sources.reading.fleet.as_ref();
    let member = member.and_then(|fleet| fleet.certificate_validity_s);
    let clients = sources.reading.totals.certificate_validity_s;
    certificates(&mut page, &[("members", member), ("clients", clients)]);
    volumes::write(&mut page, sources.volumes);
    host::write(&mut page, &sources.snapshot.host);
    events(&mut page, sources);
    page.into_text()
}

/// When the certificates begin and end that this process shows, as far as it has any.
pub(crate) fn certificates(page: &mut Exposition, validity_s: &[(&str, Option<(u64, u64)>)]) {
    let shown = validity_s.iter();
    let shown: Vec<_> = shown.filter_map(|(to, it)| Some((to, (*it)?))).collect();
    if shown.is_empty() {
        return;
    }
    let help = "When a certificate begins to be good that this process shows, in seconds since the Unix \
                epoch: to other members of its fleet, or to clients.";
    let name = "cofferdam_certificate_start_timestamp_seconds";
    let mut family = page.family(name, Kind::Gauge, help);
    for (to, (from_s, _)) in &shown {
        family.sample(&[("shown_to", to)], *from_s);
    }
    let help = "When a certificate ends that this process shows, in seconds since the Unix epoch: to \
                other members of its fleet, or to clients.";
    let name = "cofferdam_certificate_end_timestamp_seconds";
    let mut family = page.family(name, Kind::Gauge, help);
    for (to, (_, until_s)) in &shown {
        family.sample(&[("shown_to", to)], *until_s);
    }
}

fn events(page: &mut Exposition, sources: &Sources<'_>) {
    let mut family = page.family(
        "cofferdam_events_total",
        Kind::Counter,
        "Events written to the journal, by kind.",
    );
    for (kind, count) in sources.events {
        family.sample(&[("event", kind)], *count);
    }
    page.single(
        "cofferdam_events_held_back_total",
        Kind::Counter,
        "Events that were not written, as there were more than ten a second.",
        sources.held_back,
    );
    page.single(
        "cofferdam_affairs",
        Kind::Gauge,
        "Conditions that events told the beginning of and that go on.",
        sources.snapshot.affairs,
    );
}

#[cfg(test)]
#[path = "metrics_test.rs"]
mod tests;
