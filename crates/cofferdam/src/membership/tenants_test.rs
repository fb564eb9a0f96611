//! Two gateways and one store: what one changes the other knows, and nobody's change is lost.

use base::Rights;
use fleet::registry::Role;
use runtime::state::{NewCredential, NewTenant};

use super::super::testing::TestStore;
use super::*;
use crate::config::Config;

fn gateway(fleet: &TestStore, name: &str) -> FleetTenants {
    let joined = fleet.join(name, Role::Gateway);
    let config = Config::default();
    let data = FleetData::of_store(&config.fleet, None, 1).unwrap();
    let (store, data) = (Arc::clone(&fleet.store), Arc::new(data));
    FleetTenants::new(store, data, joined.me, fleet.clock, read(&joined.snapshot))
}

fn tenant(name: &str) -> NewTenant {
    NewTenant {
        name: name.to_owned(),
        quota_bytes: 64 << 20,
        item_size_max: 1 << 20,
    }
}

fn credential(username: &str) -> NewCredential {
    NewCredential {
        username: username.to_owned(),
        salt: [1; 16],
        password_sha256: [2; 32],
        rights: Rights::ALL,
        primary: true,
    }
}

#[test]
fn what_one_gateway_changes_the_other_knows() {
    let fleet = TestStore::new();
    let (one, other) = (gateway(&fleet, "gateway1"), gateway(&fleet, "gateway2"));
    let (acme, first) = one.add(&tenant("acme"), &credential("acme"), None).unwrap();
    assert!(acme.id > DEFAULT_TENANT);
    assert!(other.latest().records().is_empty());
    other.catch_up();
    assert_eq!(other.latest().records(), std::slice::from_ref(&acme));
    assert!(one.is_here(acme.id) && other.is_here(acme.id));
    let second = other
        .add_credential(acme.id, &credential("acme-2"))
        .unwrap();
    assert_ne!(first.id, second.id);
    one.catch_up();
    one.revoke(first.id).unwrap();
    other.catch_up();
    let names: Vec<String> = other
        .latest()
        .credentials()
        .into_iter()
        .map(|c| c.username)
        .collect();
    assert_eq!(names, ["acme-2"]);
    assert_eq!(other.latest().usernames().len(), 2);
    let limits = TrafficLimits {
        ops_per_second: Some(7),
        ..TrafficLimits::default()
    };
    other
        .set_limits(acme.id, 128 << 20, 1 << 20, &limits)
        .unwrap();
    one.set_traffic_of_default(&limits).unwrap();
    one.catch_up();
    assert_eq!(one.latest().records()[0].traffic, limits);
    assert_eq!(one.latest().traffic_of_default(), limits);
    one.flush(acme.id).unwrap();
    other.catch_up();
    assert_eq!(other.latest().flushes()[&acme.id], 1);
    other.remove(acme.id).unwrap();
    assert!(matches!(one.flush(acme.id), Err(TenantsError::Gone)));
    // Its number is nobody else's.
    let (beta, _) = one.add(&tenant("beta"), &credential("beta"), None).unwrap();
    assert!(beta.id > acme.id);
}

#[test]
fn a_name_is_taken_even_if_this_gateway_has_not_heard() {
    let fleet = TestStore::new();
    let (one, other) = (gateway(&fleet, "gateway1"), gateway(&fleet, "gateway2"));
    one.add(&tenant("acme"), &credential("acme"), None).unwrap();
    let again = other.add(&tenant("acme"), &credential("acme"), None);
    assert!(matches!(again, Err(TenantsError::Taken(_))));
}

#[test]
fn a_tenant_is_on_some_gateways_and_moves_in_two_steps() {
    let fleet = TestStore::new();
    let names = ["gateway1", "gateway2", "gateway3", "gateway4"];
    let gateways = names.map(|name| gateway(&fleet, name));
    gateways.iter().for_each(FleetTenants::catch_up);
    let (acme, _) = gateways[0]
        .add(&tenant("acme"), &credential("acme"), Some(2))
        .unwrap();
    let places = || {
        gateways.iter().for_each(FleetTenants::catch_up);
        let here = gateways
            .iter()
            .zip(names)
            .filter(|(g, _)| g.is_here(acme.id));
        here.map(|(_, name)| name.to_owned())
            .collect::<Vec<String>>()
    };
    let before = places();
    assert_eq!(before.len(), 2);
    assert!(gateways[0].relocate(acme.id, &[], true).is_err());
    assert!(
        gateways[0]
            .relocate(acme.id, &["nobody".to_owned()], false)
            .is_err()
    );
    gateways[0].relocate(acme.id, &before[..1], false).unwrap();
    let during = places();
    assert!(during.len() == 3 && before.iter().all(|name| during.contains(name)));
    assert_eq!(gateways[0].servers(acme.id).len(), 2);
    gateways[0].relocate(acme.id, &[], true).unwrap();
    let after = places();
    assert!(after.len() == 2 && !after.contains(&before[0]) && after.contains(&before[1]));
}
