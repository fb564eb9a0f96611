//! Two gateways and the steward over one store: a tenant's rate goes where its clients are.

use std::cell::Cell;
use std::sync::Arc;

use base::Rights;
use fleet::registry::{Role, alive_key};
use runtime::state::{NewCredential, NewTenant};
use runtime::store::{Detail, Store};

use super::super::tenants::read as read_tenants;
use super::super::testing::TestStore;
use super::*;
use crate::config::Config;
use crate::fleet_data::FleetData;

const LIMIT: u64 = 1000;

fn gateway(fleet: &TestStore, name: &str) -> FleetTenants {
    let joined = fleet.join(name, Role::Gateway);
    let alive = Change::default().put(&alive_key(joined.me), "");
    fleet.store.commit(&alive).unwrap();
    let data = FleetData::of_store(&Config::default().fleet, None, 1).unwrap();
    let (store, tenants) = (Arc::clone(&fleet.store), read_tenants(&joined.snapshot));
    FleetTenants::new(store, Arc::new(data), joined.me, fleet.clock, tenants)
}

fn limited_tenant(gateway: &FleetTenants) -> TenantId {
    let new = NewTenant {
        name: "acme".to_owned(),
        quota_bytes: 64 << 20,
        item_size_max: 1 << 20,
    };
    let credential = NewCredential {
        username: "acme".to_owned(),
        salt: [1; 16],
        password_sha256: [2; 32],
        rights: Rights::ALL,
        primary: true,
    };
    let id = gateway.add(&new, &credential, None).unwrap().0.id;
    gateway
        .set_limits(id, new.quota_bytes, new.item_size_max, &limits())
        .unwrap();
    id
}

fn limits() -> TrafficLimits {
    TrafficLimits {
        ops_per_second: Some(LIMIT),
        connections: Some(10),
        ..TrafficLimits::default()
    }
}

fn steward_shares(store: &dyn Store) {
    let snapshot = store.range("", Detail::Values).unwrap();
    let entries = snapshot.entries.iter();
    let registry = Registry::read(entries.map(|e| (e.key.as_str(), e.value.as_slice())));
    if let Some(change) = next(&snapshot, &registry) {
        store.commit(&change).unwrap();
    }
}

#[test]
fn a_rate_goes_where_the_clients_are_and_what_is_counted_stays_even() {
    let fleet = TestStore::new();
    let gateways = [gateway(&fleet, "gateway1"), gateway(&fleet, "gateway2")];
    let id = limited_tenant(&gateways[0]);
    let mut meters = [UseMeter::default(), UseMeter::default()];
    let totals = [Cell::new(0), Cell::new(0)];
    let mut now = fleet.clock.now();
    let mut run = |busy: usize, seconds: usize| {
        let mut shares = [0, 0];
        for _ in 0..seconds {
            for (at, gateway) in gateways.iter().enumerate() {
                gateway.catch_up();
                let share = gateway.share(id, limits());
                assert_eq!(share.connections, Some(5));
                shares[at] = share.ops_per_second.unwrap();
                if at == busy {
                    totals[at].set(totals[at].get() + shares[at]);
                }
                let counters = |_| [totals[at].get(), 0, 0];
                meters[at].turn(gateway, now, counters).unwrap();
            }
            assert!(
                shares.iter().sum::<u64>() <= LIMIT * 11 / 10 + 2,
                "{shares:?}"
            );
            steward_shares(&*fleet.store);
            now = now + LOOK_EVERY;
        }
        shares
    };
    assert_eq!(run(0, 1), [LIMIT / 2, LIMIT / 2]);
    assert!(run(0, 12)[0] >= LIMIT * 95 / 100);
    assert!(run(1, 16)[1] >= LIMIT * 95 / 100);
}

#[test]
fn small_changes_are_not_said_and_new_grants_are() {
    let said = |amount, serial| {
        let used = Used { amount, serial };
        Use(BTreeMap::from([(
            3,
            [used, Used::default(), Used::default()],
        )]))
    };
    let limit = |_, _| 3200;
    assert!(!is_news(&said(1000, 1), &said(1100, 1), limit));
    assert!(is_news(&said(1000, 1), &said(1101, 1), limit));
    assert!(is_news(&said(1000, 1), &said(1000, 2), limit));
    assert!(is_news(&said(1000, 1), &Use::default(), limit));
}
