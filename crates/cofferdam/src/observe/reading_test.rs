//! What is read of a data plane, and in which order.

use super::*;
use crate::fake_plane::FakePlane;
use crate::wire::TenantRequest;

fn plane() -> (tempfile::TempDir, Arc<FakePlane>) {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    for name in ["zeta", "acme"] {
        let request = TenantRequest {
            name: name.into(),
            memory_bytes: 8 << 20,
            item_size_bytes: None,
            gateways: None,
        };
        control.add(&request).unwrap();
    }
    (dir, plane)
}

#[test]
fn tenants_come_in_the_order_of_their_making() {
    let (_dir, plane) = plane();
    let reading = Reading::take(&*plane, Timestamp::from_secs(5));
    let names: Vec<&str> = reading.tenants.iter().map(|t| &*t.name).collect();
    assert_eq!(names, ["default", "zeta", "acme"]);
    let acme = reading.tenants[2].id;
    assert_eq!(reading.name(acme).map(|name| &**name), Some("acme"));
    assert_eq!(reading.name(TenantId(99)), None);
}

#[test]
fn caches_are_asked_only_where_that_is_wanted() {
    let (_dir, plane) = plane();
    let now = Timestamp::from_secs(5);
    let quota = |reading: Reading| reading.tenants[1].cache.quota_bytes;
    assert_eq!(quota(Reading::take(&*plane, now)), 8 << 20);
    assert_eq!(quota(Reading::of_clients(&*plane, now)), 0);
}

#[test]
fn refused_requests_are_requests_too() {
    let (_dir, plane) = plane();
    let mut reading = Reading::of_clients(&*plane, Timestamp::from_secs(5));
    let acme = &mut reading.tenants[2];
    acme.clients.reads_served = 1000;
    acme.clients.writes_served = 100;
    acme.clients.reads_refused = 10;
    acme.clients.writes_refused = 1;
    assert_eq!((acme.requests(), acme.refused()), (1111, 11));
}
