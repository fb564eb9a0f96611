//! Tests of what a tenant may hold where: by the ring, by its use, and less what gateways hold.

use std::time::Duration;

use base::fleet::MemberId;
use base::kv::Stats;
use base::{TenantId, Timestamp};
use fleet::memory::Parts;

use super::super::{FleetData, Holdings, HotKeys};
use crate::config::Config;
use crate::membership::Seat;

const TENANT: TenantId = TenantId(4);
const QUOTA: u64 = 128 << 20;
const NODES: [MemberId; 2] = [MemberId(1), MemberId(2)];

fn fleet() -> FleetData {
    let text = "[fleet]\nnodes = [\
        { member = 1, name = 'a', addr = '127.0.0.1:1' }, \
        { member = 2, name = 'b', addr = '127.0.0.1:2' }]";
    let config = Config::parse(text).unwrap();
    let fleet = FleetData::of_config(&config.fleet, None, 1).map_err(|it| it.to_string());
    let fleet = fleet.unwrap();
    let holdings = Holdings {
        quota_bytes: QUOTA,
        item_size_max: 1 << 20,
    };
    fleet.set(TENANT, holdings);
    fleet
}

fn on(fleet: &FleetData, node: MemberId) -> u64 {
    fleet.published().get().tenants[0].on(node).quota_bytes
}

/// Node 1 is full and evicts, node 2 holds little.
fn tell(fleet: &FleetData, evictions: u64) {
    for (node, live) in NODES.into_iter().zip([on(fleet, NODES[0]), 4 << 20]) {
        let stats = Stats {
            bytes: live,
            held_bytes: live,
            quota_bytes: on(fleet, node),
            evictions: if node == NODES[0] { evictions } else { 0 },
            ..Stats::default()
        };
        fleet.board().put(TENANT, node, stats);
    }
}

#[test]
fn a_node_that_evicts_gets_what_another_does_not_need() {
    let fleet = fleet();
    let mut parts = Parts::default();
    assert_eq!(NODES.map(|node| on(&fleet, node)), [QUOTA / 2; 2]);
    let mut most = 0;
    for second in 1..30 {
        tell(&fleet, second);
        let now = Timestamp::from_secs(1_000_000 + second);
        parts = fleet.divide(&parts, now).unwrap();
        fleet.set_parts(&parts);
        most = most.max(NODES.iter().map(|node| on(&fleet, *node)).sum());
    }
    assert!(
        on(&fleet, NODES[0]) > QUOTA / 4 * 3,
        "{}",
        on(&fleet, NODES[0])
    );
    assert!(most <= QUOTA / 10 * 11 && on(&fleet, NODES[1]) > 4 << 20);
}

#[test]
fn evictions_of_long_ago_are_no_need() {
    let fleet = fleet();
    let now = Timestamp::from_secs(1_000_000);
    tell(&fleet, 5);
    assert_eq!(fleet.divide(&Parts::default(), now), Some(Parts::default()));
    tell(&fleet, 6);
    assert_ne!(fleet.divide(&Parts::default(), now), Some(Parts::default()));
    let later = now + Duration::from_secs(20);
    assert_eq!(
        fleet.divide(&Parts::default(), later),
        Some(Parts::default())
    );
}

#[test]
fn what_gateways_may_hold_of_busy_keys_the_nodes_do_not_get() {
    let fleet = fleet();
    let hot = HotKeys {
        age_max: Duration::from_millis(500),
        gateways: 2,
    };
    fleet.set_hot_keys([(TENANT, hot)].into());
    assert_eq!(NODES.map(|node| on(&fleet, node)), [QUOTA / 64 * 63 / 2; 2]);
    let terms = fleet.published().get().tenants[0].hot.unwrap();
    assert_eq!(terms.room_bytes, QUOTA / 64 / 2);
    assert_eq!(terms.age_max, hot.age_max);
    fleet.set_hot_keys(Default::default());
    assert_eq!(fleet.published().get().tenants[0].hot, None);
    assert_eq!(on(&fleet, NODES[0]), QUOTA / 2);
}
