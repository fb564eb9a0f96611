//! Figures as text: sums at first, rates once there is a second look.

use super::*;
use crate::wire::{CacheFigures, ClientFigures, ConnectionTotals, DelayFigures, MemoryTotals};

fn stat(gets: u64, hits: u64) -> Stat {
    let cache = CacheFigures {
        cmd_get: gets,
        get_hits: hits,
        ..CacheFigures::default()
    };
    Stat {
        version: "1.2.3".into(),
        pid: 42,
        uptime_s: 3661,
        memory: MemoryTotals {
            bytes: 1 << 30,
            sold_bytes: 0,
            default_bytes: 1 << 30,
            held_bytes: 0,
        },
        connections: ConnectionTotals {
            open: 3,
            unauthenticated: 1,
            max: 10,
            refused: 0,
        },
        tenants: vec![TenantStat {
            tenant: "acme".into(),
            open: false,
            memory_bytes: 1 << 20,
            item_size_bytes: 1024,
            cache,
            clients: ClientFigures::default(),
            delay: DelayFigures::default(),
        }],
    }
}

fn args(tenant: Option<&str>) -> StatArgs {
    StatArgs {
        tenant: tenant.map(str::to_owned),
        watch: true,
    }
}

#[test]
fn the_first_look_shows_sums() {
    let text = render(&stat(1000, 900), None, &args(None));
    assert!(
        text.contains("GETS ") && text.contains("1000") && text.contains("90.0%"),
        "{text}"
    );
    assert!(
        text.contains("up 1h 1m 1s") && text.contains("3 of 10"),
        "{text}"
    );
}

#[test]
fn a_second_look_shows_rates() {
    let before = stat(1000, 900);
    let text = render(&stat(1200, 1000), Some(&before), &args(None));
    assert!(
        text.contains("GETS/S") && text.contains("200") && text.contains("50.0%"),
        "{text}"
    );
}

#[test]
fn counters_that_were_reset_and_new_tenants_are_no_trouble() {
    let mut before = stat(1000, 900);
    let text = render(&stat(0, 0), Some(&before), &args(None));
    assert!(text.contains(" - "), "{text}");
    before.tenants.clear();
    assert!(render(&stat(77, 0), Some(&before), &args(None)).contains("77"));
}

#[test]
fn one_tenant_is_shown_in_detail() {
    let text = render(&stat(10, 5), None, &args(Some("acme")));
    assert!(
        text.contains("10, 50.0% hits") && text.contains("item size"),
        "{text}"
    );
}

#[test]
fn what_limits_made_of_the_requests_is_told() {
    let mut stat = stat(10, 5);
    stat.tenants[0].clients = ClientFigures {
        reads_refused: 17,
        writes_refused: 4,
        pauses: 3,
        paused_ns: 1_500_000_000,
        connects_delayed: 9,
        inflight_bytes: 2048,
        ..ClientFigures::default()
    };
    stat.tenants[0].delay = DelayFigures {
        requests: 5,
        p50_us: Some(90),
        p99_us: Some(1250),
        ..DelayFigures::default()
    };
    let text = render(&stat, None, &args(Some("acme")));
    for words in [
        "half within 0.09 ms, 99 of 100 within 1.25 ms",
        "17 reads, 4 writes",
        "3 times, 1s 500ms in all",
        "9 delayed",
        "2KiB",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let overview = render(&stat, None, &args(None));
    assert!(overview.contains("REFUSED") && overview.contains("21"));
}
