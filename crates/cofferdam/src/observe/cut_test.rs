//! Whoever lost items is named, with how many, once that is known.

use base::kv::Stats;
use base::{TenantId, Timestamp, TrafficLimits};
use gateway::{ConnectionFigures, Delays};

use super::{Cuts, MemoryCut};
use crate::observe::reading::{Reading, TenantReading};
use crate::plane::Totals;

const MIB: u64 = 1 << 20;

fn cut() -> MemoryCut {
    MemoryCut {
        id: TenantId(2),
        tenant: "acme".into(),
        from_bytes: 64 * MIB,
        to_bytes: 16 * MIB,
        items: 40_000,
        evicted_before: 500,
    }
}

/// What there is after so many seconds.
fn seen(secs: u64, held_bytes: u64, evictions: u64) -> Reading {
    let acme = TenantReading {
        id: TenantId(2),
        name: "acme".into(),
        traffic: TrafficLimits::default(),
        cache: Stats {
            held_bytes,
            evictions,
            ..Stats::default()
        },
        clients: ConnectionFigures::default(),
        delays: Delays::default(),
        close_waits: 0,
    };
    Reading {
        at: Timestamp::from_secs(secs),
        tenants: vec![acme],
        totals: Totals::default(),
        loop_ages: Vec::new(),
        fleet: None,
    }
}

fn cuts() -> Cuts {
    let mut cuts = Cuts::default();
    cuts.add(Timestamp::from_secs(100), cut());
    cuts
}

#[test]
fn what_it_cost_is_told_once_that_is_known() {
    let mut cuts = cuts();
    assert_eq!(cuts.observe(&seen(101, 40 * MIB, 9_000)), []);
    let told = cuts.observe(&seen(102, 16 * MIB, 30_000));
    assert_eq!(told.len(), 1);
    let signal = &told[0];
    assert_eq!(signal.onset, Timestamp::from_secs(100));
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    for words in ["64MiB to 16MiB", "29500 of its 40000 items"] {
        assert!(signal.sentence.contains(words), "{}", signal.sentence);
    }
    assert_eq!(cuts.observe(&seen(103, 16 * MIB, 31_000)), [], "once");
}

#[test]
fn who_does_not_come_down_is_told_of_all_the_same() {
    let mut cuts = cuts();
    assert_eq!(cuts.observe(&seen(159, 40 * MIB, 9_000)), []);
    assert_eq!(cuts.observe(&seen(160, 40 * MIB, 9_000)).len(), 1);
}

#[test]
fn what_cost_nothing_or_nobody_is_not_told() {
    assert_eq!(cuts().observe(&seen(101, MIB, 500)), []);
    let mut cuts = cuts();
    let gone = Reading {
        tenants: Vec::new(),
        ..seen(101, MIB, 900)
    };
    assert_eq!(cuts.observe(&gone), []);
    assert_eq!(cuts.observe(&seen(102, MIB, 900)), []);
}
