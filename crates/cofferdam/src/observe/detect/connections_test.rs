//! Half-closed connections by listener and tenant, and logins that fail.

use super::super::testing::{World, figure, one};
use super::*;

fn overdue(tenant: Option<&str>, port: u16, age_ms: u64) -> OverdueConnection {
    OverdueConnection {
        listener: "memcache_auth",
        tenant: tenant.map(Arc::from),
        peer: ([10, 0, 0, 7], port).into(),
        age: Duration::from_millis(age_ms),
    }
}

#[test]
fn each_tenant_is_named_with_its_oldest() {
    let mut world = World::new();
    world.overdue = vec![
        overdue(Some("acme"), 1, 2500),
        overdue(None, 2, 1000),
        overdue(Some("acme"), 3, 1200),
    ];
    let began = world.now;
    let said = world.look();
    let tenants: Vec<Option<&str>> = said.iter().map(|s| s.tenant.as_deref()).collect();
    assert_eq!(tenants, [None, Some("acme")]);
    let acme = &said[1];
    assert_eq!(
        (acme.kind, &*acme.cause),
        (EventKind::CloseWait, "memcache_auth")
    );
    assert_eq!(figure(acme, "close_wait_connections"), 2.0);
    assert_eq!(figure(acme, "close_wait_oldest"), 2.5);
    assert_eq!(acme.onset, began - Duration::from_millis(2500));
    assert!(
        acme.sentence.contains("2 connections of tenant acme"),
        "{}",
        acme.sentence
    );
    assert!(acme.sentence.contains("10.0.0.7:1"), "{}", acme.sentence);
}

#[test]
fn wrong_passwords() {
    let mut world = World::new();
    let said = world.run(10, |world| {
        world.acme().clients.auth_attempts += 10;
        world.acme().clients.auth_failures += 3;
    });
    let signal = one(&said);
    assert_eq!(signal.kind, EventKind::LoginsFailing);
    assert_eq!(figure(signal, "logins_failed"), 3.0);
    assert!(
        signal.sentence.contains("15 of 50 logins"),
        "{}",
        signal.sentence
    );
}

#[test]
fn a_mistyped_password_now_and_then_is_no_event() {
    let mut world = World::new();
    let said = world.run(10, |world| {
        world.acme().clients.auth_attempts += 1;
        world.acme().clients.auth_failures += 1;
    });
    assert_eq!(said, []);
}
