//! Volumes on the page: what each holds, and the stages of its I/O, while it is attached.

use std::time::Duration;

use runtime::observe::exposition::{Exposition, Kind};
use runtime::volumes::{AttachedStatus, STAGE_BOUNDS, StageFigures, VolumeStatus};

use super::volume_operations;

/// The bytes of a block.
const BLOCK_LEN: u64 = 4096;

/// A figure of an attached volume: its family, what kind that is, and where it comes from.
type Figure = (&'static str, Kind, &'static str, fn(&AttachedStatus) -> u64);

/// A figure of a stage.
type StageFigure = (&'static str, Kind, &'static str, fn(&StageFigures) -> f64);

const FIGURES: [Figure; 10] = [
    (
        "cofferdam_volume_journal_used_bytes",
        Kind::Gauge,
        "Bytes of the journal that are not packed into objects.",
        |volume| volume.figures.journal_used_len,
    ),
    (
        "cofferdam_volume_stored_bytes",
        Kind::Gauge,
        "Bytes of blocks in objects, those that nothing reads any more included.",
        |volume| volume.figures.stored_blocks * BLOCK_LEN,
    ),
    (
        "cofferdam_volume_live_bytes",
        Kind::Gauge,
        "Bytes of blocks in objects that are still read.",
        |volume| volume.figures.live_blocks * BLOCK_LEN,
    ),
    (
        "cofferdam_volume_map_memory_bytes",
        Kind::Gauge,
        "Memory that the map of blocks takes.",
        |volume| volume.figures.map_memory_len,
    ),
    (
        "cofferdam_volume_object_written_bytes_total",
        Kind::Counter,
        "Bytes of segments stored since the volume was attached.",
        |volume| volume.figures.segment_bytes,
    ),
    (
        "cofferdam_volume_segments_collected_total",
        Kind::Counter,
        "Segments whose live blocks were moved since the volume was attached.",
        |volume| volume.figures.collected,
    ),
    (
        "cofferdam_volume_read_cache_hits_total",
        Kind::Counter,
        "Blocks of short reads that were in the read cache, of those that objects have.",
        |volume| volume.figures.cache_hits,
    ),
    (
        "cofferdam_volume_read_cache_misses_total",
        Kind::Counter,
        "Those that were not.",
        |volume| volume.figures.cache_misses,
    ),
    (
        "cofferdam_volume_damaged_objects",
        Kind::Gauge,
        "Objects found damaged or gone since the volume was attached.",
        |volume| volume.damaged.len() as u64,
    ),
    (
        "cofferdam_volume_stopped",
        Kind::Gauge,
        "Whether the volume has stopped, since its journal could not be written.",
        |volume| u64::from(volume.stopped.is_some()),
    ),
];

const STAGE_FIGURES: [StageFigure; 2] = [
    (
        "cofferdam_volume_stage_under_way",
        Kind::Gauge,
        "Operations in a stage now.",
        |stage| stage.under_way as f64,
    ),
    (
        "cofferdam_volume_stage_still_seconds",
        Kind::Gauge,
        "For how long no operation in a stage has ended: a stage that stands still is the cause.",
        |stage| stage.still.as_secs_f64(),
    ),
];

pub(super) fn write(page: &mut Exposition, volumes: &[VolumeStatus]) {
    whole(
        page,
        "cofferdam_volume_size_bytes",
        "Size of a volume.",
        volumes,
        |volume| volume.spec.size_bytes,
    );
    let connections = "Connections of a volume's clients.";
    whole(
        page,
        "cofferdam_volume_connections",
        connections,
        volumes,
        |volume| volume.clients.len() as u64,
    );
    let attached: Vec<(&str, &AttachedStatus)> = volumes
        .iter()
        .filter_map(|volume| Some((&volume.spec.export[..], volume.attached.as_ref()?)))
        .collect();
    for (name, kind, help, value) in FIGURES {
        let mut family = page.family(name, kind, help);
        for (volume, status) in &attached {
            family.sample(&[("volume", volume)], value(status));
        }
    }
    volume_operations::write(page, &attached);
    stage_times(page, &attached);
    for (name, kind, help, value) in STAGE_FIGURES {
        let mut family = page.family(name, kind, help);
        for (volume, status) in &attached {
            for stage in &status.stages {
                let labels = [("volume", *volume), ("stage", stage.stage.code())];
                family.sample(&labels, value(stage));
            }
        }
    }
}

/// How long each stage takes.
fn stage_times(page: &mut Exposition, attached: &[(&str, &AttachedStatus)]) {
    let help =
        "How long a stage of a volume's I/O took; reads out of the page cache count as none.";
    let mut family = page.family("cofferdam_volume_stage_seconds", Kind::Histogram, help);
    for (volume, status) in attached {
        for stage in &status.stages {
            let labels = [("volume", *volume), ("stage", stage.stage.code())];
            let [within @ .., beyond] = stage.counts;
            let bounds = STAGE_BOUNDS.iter().map(Duration::as_secs_f64);
            family.histogram(
                &labels,
                bounds.zip(within),
                beyond,
                stage.time.as_secs_f64(),
            );
        }
    }
}

/// A gauge that each volume has, attached or not.
fn whole(
    page: &mut Exposition,
    name: &str,
    help: &str,
    volumes: &[VolumeStatus],
    value: impl Fn(&VolumeStatus) -> u64,
) {
    let mut family = page.family(name, Kind::Gauge, help);
    for volume in volumes {
        family.sample(&[("volume", &volume.spec.export)], value(volume));
    }
}
