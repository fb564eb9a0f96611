//! The fleet: a store that does not answer, a ring that cannot change.

use std::time::Duration;

use base::event::{EventKind, Figure, Unit};

use super::Observation;
use crate::observe::signal::Signal;

/// A change may wait so long for members that are cut off, and five seconds by its rules.
const WAITS_MAX: Duration = Duration::from_secs(15);

pub(super) fn observe(seen: &Observation<'_>, signals: &mut Vec<Signal>) {
    let Some(fleet) = &seen.reading.fleet else {
        return;
    };
    if let Some((since, why)) = &fleet.away {
        let sentence = format!(
            "The fleet's store does not answer ({why}); this gateway serves on by what it knows of it."
        );
        let age = fleet.age.unwrap_or_else(|| seen.now.since(*since));
        let ended = "The fleet's store answers again";
        let signal = Signal::lasting(EventKind::StoreAway, *since, sentence, ended)
            .advice(
                "Look after etcd: until it is back nothing can be changed, and no node taken out.",
            )
            .evidence([Figure::new("age", age.as_secs_f64(), Unit::Seconds)]);
        signals.push(signal);
    }
    if let Some(since) = fleet.waits_since
        && seen.now.since(since) >= WAITS_MAX
    {
        let sentence = format!(
            "A change of the ring waits for members that do not answer; {} of 4,096 slots answer misses \
             until it is made.",
            fleet.moving
        );
        let signal = Signal::lasting(
            EventKind::RingWaits,
            since,
            sentence,
            "The ring has changed",
        )
        .advice("`cofferdam node list` tells for whom it waits, and what to do.")
        .evidence([Figure::new("moving", fleet.moving as f64, Unit::Count)]);
        signals.push(signal);
    }
}

#[cfg(test)]
#[path = "fleet_test.rs"]
mod tests;
