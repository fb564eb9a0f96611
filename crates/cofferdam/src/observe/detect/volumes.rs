//! Volumes that stand still: which stage of their input and output it is that does not move.

use std::sync::Arc;
use std::time::Duration;

use base::event::{EventKind, Figure, Unit};
use runtime::volumes::{Stage, StageFigures, VolumePulse};

use super::{Observation, told};
use crate::observe::signal::Signal;

/// For how long a stage may bring nothing to an end.
const STILL_MAX: Duration = Duration::from_secs(3);

/// The stages in the order of blame: whoever waits for another is behind it.
const BLAME: [Stage; 8] = [
    Stage::JournalSync,
    Stage::JournalWrite,
    Stage::JournalRead,
    Stage::Get,
    Stage::Put,
    Stage::Pack,
    Stage::Queue,
    Stage::Network,
];

/// What is to be said of volumes.
pub(super) fn observe(seen: &Observation<'_>, signals: &mut Vec<Signal>) {
    for volume in seen.volumes {
        signals.extend(stalled(seen, volume));
        signals.extend(degraded(seen, volume));
    }
}

/// The second copy of a volume that is not one any more.
fn degraded(seen: &Observation<'_>, volume: &VolumePulse) -> Option<Signal> {
    let mirror = volume.mirror.as_ref()?;
    let why = mirror.behind.as_ref()?;
    let name = &volume.export;
    let sentence = format!(
        "The second copy of volume {name} in {} is behind, and only the first has all: {why}.",
        mirror.dir.display()
    );
    let ended = format!("Volume {name} has a second copy again");
    let signal = Signal::lasting(EventKind::VolumeDegraded, seen.now, sentence, ended)
        .cause(name.clone())
        .tenant(seen.reading.name(volume.tenant))
        .advice(
            "Mend that disk, or choose another folder (`cofferdam volume mirror`); the copy is made \
             anew when the volume is attached again.",
        );
    Some(signal)
}

fn stalled(seen: &Observation<'_>, volume: &VolumePulse) -> Option<Signal> {
    let is_still = |stage: &&Stage| {
        let is_meant = volume.is_limited && **stage == Stage::Queue;
        !is_meant && figures(volume, **stage).is_some_and(|f| f.still >= STILL_MAX)
    };
    let stage = *BLAME.iter().find(is_still)?;
    let stage_now = figures(volume, stage)?;
    let (name, meters) = (&volume.export, volume.meters);
    let sentence = format!(
        "Volume {name} stands still: {} has not ended for {} s; {} requests of its clients wait.",
        doing(stage),
        told(stage_now.still.as_secs_f64()),
        told(meters.queue_len as f64),
    );
    let ended = format!("{} of volume {name} goes on", capital(doing(stage)));
    let onset = seen.now - stage_now.still;
    let tenant: Option<&Arc<str>> = seen.reading.name(volume.tenant);
    let signal = Signal::lasting(EventKind::VolumeStalled, onset, sentence, ended)
        .cause(format!("{name} {}", stage.code()))
        .tenant(tenant)
        .advice(remedy(stage))
        .evidence([
            Figure::new("still", stage_now.still.as_secs_f64(), Unit::Seconds),
            Figure::new("in_stage", stage_now.under_way as f64, Unit::Count),
            Figure::new("requests_waiting", meters.queue_len as f64, Unit::Count),
            Figure::new("unanswered", meters.still.as_secs_f64(), Unit::Seconds),
        ]);
    Some(signal)
}

fn figures(volume: &VolumePulse, stage: Stage) -> Option<&StageFigures> {
    volume.stages.iter().find(|figures| figures.stage == stage)
}

fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::JournalSync => "making its journal durable (fsync)",
        Stage::JournalWrite => "writing its journal",
        Stage::JournalRead => "reading its journal",
        Stage::Get => "reading an object",
        Stage::Put => "storing an object",
        Stage::Pack => "building an object",
        Stage::Queue => "waiting for room in its journal",
        Stage::Network => "sending answers to a client",
    }
}

fn remedy(stage: Stage) -> &'static str {
    match stage {
        Stage::JournalSync | Stage::JournalWrite | Stage::JournalRead => {
            "Look at the disk of volumes/journals in the data folder: its errors in the kernel's log, \
             its queue (`iostat -x`), whoever else writes to it."
        }
        Stage::Get | Stage::Put => {
            "Look at the disk of volumes/store in the data folder: its errors in the kernel's log, its \
             queue (`iostat -x`), whether its file system is frozen or full."
        }
        Stage::Pack => "Look at the machine's processor pressure.",
        Stage::Queue => {
            "Look at the disk of volumes/store in the data folder: objects are stored more slowly than \
             clients write; a longer journal takes longer bursts."
        }
        Stage::Network => "Look at the client and the network to it: it does not read its answers.",
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
#[path = "volumes_test.rs"]
mod tests;
