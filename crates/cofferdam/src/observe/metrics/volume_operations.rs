//! What clients ask of volumes, on the page: in the manner of a cloud's block store.

use std::time::Duration;

use runtime::observe::exposition::{Exposition, Kind};
use runtime::volumes::{AttachedStatus, Operation, OperationFigures};

/// From when on requests without an answer count as stalled.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// A figure of a kind of request.
type Figure = (&'static str, &'static str, fn(&OperationFigures) -> f64);

const FIGURES: [Figure; 4] = [
    (
        "cofferdam_volume_operations_total",
        "Requests of clients that were answered, those that failed included.",
        |operation| operation.count as f64,
    ),
    (
        "cofferdam_volume_operations_failed_total",
        "Requests of clients that were answered with an error.",
        |operation| operation.failed as f64,
    ),
    (
        "cofferdam_volume_bytes_total",
        "Bytes that clients have read, written and zeroed.",
        |operation| operation.bytes as f64,
    ),
    (
        "cofferdam_volume_operation_seconds_total",
        "Time that requests took from being read to being answered, all together.",
        |operation| operation.time.as_secs_f64(),
    ),
];

pub(super) fn write(page: &mut Exposition, attached: &[(&str, &AttachedStatus)]) {
    for (name, help, value) in FIGURES {
        let mut family = page.family(name, Kind::Counter, help);
        for (volume, status) in attached {
            for (operation, figures) in Operation::ALL.iter().zip(&status.meters.operations) {
                let labels = [("volume", *volume), ("operation", operation.code())];
                family.sample(&labels, value(figures));
            }
        }
    }
    let help = "What is saved up of a volume's limit, of one; without a limit there is none.";
    let mut family = page.family("cofferdam_volume_burst_balance_ratio", Kind::Gauge, help);
    for (volume, status) in attached {
        let balance = status.balance;
        let all = [
            ("operations", balance.operations_permille),
            ("bytes", balance.bytes_permille),
        ];
        for (limit, permille) in all {
            if let Some(permille) = permille {
                let labels = [("volume", *volume), ("limit", limit)];
                family.sample(&labels, permille as f64 / 1000.0);
            }
        }
    }
    let help =
        "1 if the volume's second copy is behind, 0 if both have all; without one there is none.";
    let mut family = page.family("cofferdam_volume_mirror_behind", Kind::Gauge, help);
    for (volume, status) in attached {
        if let Some(mirror) = &status.mirror {
            let behind = u8::from(mirror.behind.is_some());
            family.sample(&[("volume", volume)], f64::from(behind));
        }
    }
    let mut each = |name, kind, help, value: fn(&AttachedStatus) -> f64| {
        let mut family = page.family(name, kind, help);
        for (volume, status) in attached {
            family.sample(&[("volume", volume)], value(status));
        }
    };
    each(
        "cofferdam_volume_queue_length",
        Kind::Gauge,
        "Requests of clients under way.",
        |volume| volume.meters.queue_len as f64,
    );
    each(
        "cofferdam_volume_idle_seconds_total",
        Kind::Counter,
        "Time without any request under way since the volume was attached.",
        |volume| volume.meters.idle.as_secs_f64(),
    );
    each(
        "cofferdam_volume_unanswered_seconds",
        Kind::Gauge,
        "For how long no request was answered though there are some.",
        |volume| volume.meters.still.as_secs_f64(),
    );
    each(
        "cofferdam_volume_stalled_io",
        Kind::Gauge,
        "1 if requests wait and none was answered for ten seconds, else 0.",
        |volume| f64::from(u8::from(volume.meters.still >= STALLED_AFTER)),
    );
}
