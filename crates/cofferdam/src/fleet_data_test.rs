//! Tests of what a gateway tells its loops of the fleet.

use base::TenantId;
use base::fleet::{Epoch, MemberId};
use gateway::Backend;

use super::{FleetData, Holdings, first_ring};
use crate::config::Config;
use crate::membership::Seat;

const TENANT: TenantId = TenantId(4);

fn fleet(text: &str) -> Result<FleetData, String> {
    let config = Config::parse(text)?;
    FleetData::of_config(&config.fleet, None, 1).map_err(|failure| failure.to_string())
}

fn two_nodes() -> FleetData {
    fleet(
        "[fleet]\nnodes = [\
           { member = 1, name = 'a', addr = '127.0.0.1:1' }, \
           { member = 2, name = 'b', addr = '127.0.0.1:2', weight = 300 }]",
    )
    .unwrap()
}

#[test]
fn slots_go_by_weight_and_everybody_works_out_the_same() {
    let view = two_nodes().published().get();
    assert_eq!(view.ring.count(MemberId(1)), 1024);
    assert_eq!(view.ring.count(MemberId(2)), 3072);
    let weights = [(MemberId(2), 300), (MemberId(1), 100)].into();
    assert_eq!(*view.ring, first_ring(&weights));
}

#[test]
fn nodes_have_parts_of_a_tenants_memory_as_of_the_keys() {
    let fleet = two_nodes();
    let terms = |fleet: &FleetData| fleet.published().get().tenants.clone();
    let set = |quota_bytes| {
        let item_size_max = 1 << 20;
        fleet.set(
            TENANT,
            Holdings {
                quota_bytes,
                item_size_max,
            },
        );
    };
    set(64 << 20);
    let first = terms(&fleet)[0].clone();
    let on = |node| first.on(MemberId(node)).quota_bytes;
    assert_eq!((on(1), on(2), on(3)), (16 << 20, 48 << 20, 2 << 20));
    // Nothing new is told of what has not changed.
    set(64 << 20);
    assert_eq!(terms(&fleet)[0], first);
    // Too little to be divided is given whole.
    set(1 << 20);
    assert_eq!(terms(&fleet)[0].on(MemberId(1)).quota_bytes, 2 << 20);
    assert!(terms(&fleet)[0].version > first.version);
    fleet.flush(TENANT);
    assert_eq!(fleet.published().get().flushes[&TENANT], 1);
    fleet.remove(TENANT);
    assert!(terms(&fleet).is_empty() && fleet.published().get().flushes.is_empty());
}

#[test]
fn a_gateway_without_nodes_says_what_to_write() {
    let failure = fleet("").map(drop).unwrap_err();
    assert!(failure.contains("fleet.nodes"), "{failure}");
}

#[test]
fn with_a_predecessor_no_more_is_known_than_both_know() {
    let fleet = two_nodes();
    let mut backend = fleet.backend(0);
    assert_eq!(fleet.announced(), None);
    let view = fleet.published().get();
    let now = base::Timestamp::from_secs(1_000_000);
    backend.remote().unwrap().apply(now, &view);
    let own = view.ring.announced();
    assert_eq!(fleet.announced(), Some(own));
    fleet.expect_predecessor();
    assert_eq!(fleet.announced(), None);
    for (known, both) in [(0, 0), (own.0, own.0), (own.0 + 1, own.0)] {
        fleet.note_predecessor(Some(Epoch(known)));
        assert_eq!(fleet.announced(), Some(Epoch(both)));
    }
    fleet.note_predecessor(Some(Epoch(0)));
    fleet.note_predecessor(None);
    assert_eq!(fleet.announced(), Some(own));
}
