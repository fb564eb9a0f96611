//! Tests of `shared`: where connections belong.

use super::*;
use crate::load::{Login, Target};

fn plan(tenants: usize, targets: usize, connections: u32, keys: u64) -> Plan {
    let login = |number: usize| Login {
        username: format!("t{number}"),
        password: String::new(),
    };
    let mut plan = Plan {
        targets: vec![Target::Tcp("127.0.0.1:1".into()); targets],
        tenants: (0..tenants).map(login).collect(),
        connections,
        ..Plan::default()
    };
    plan.keys.count = keys;
    plan
}

#[test]
fn every_tenant_gets_its_share_of_connections_on_every_target() {
    let plan = plan(3, 2, 13, 100);
    let mut counts = [[0u32; 2]; 3];
    for index in 0..13 {
        let place = Place::of(index, &plan);
        counts[place.tenant][place.target] += 1;
    }
    assert!(
        counts.iter().flatten().all(|count| (2..=3).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn the_connections_of_a_pair_fill_every_key_exactly_once() {
    for (tenants, targets, connections, keys) in [
        (0, 1, 1, 10),
        (0, 1, 7, 10),
        (3, 2, 13, 101),
        (2, 3, 5, 9),
        (1, 1, 50, 7),
    ] {
        let plan = plan(tenants, targets, connections, keys);
        let mut stored = std::collections::HashMap::new();
        for index in 0..connections as usize {
            let place = Place::of(index, &plan);
            for key in place.fill {
                let count = stored.entry((place.tenant, place.target, key)).or_insert(0);
                *count += 1;
            }
        }
        let pairs = (tenants.max(1) * targets).min(connections as usize);
        assert_eq!(stored.len(), pairs * keys as usize);
        assert!(stored.values().all(|count| *count == 1));
    }
}
