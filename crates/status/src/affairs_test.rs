//! Affairs begin, end, are forgotten, and are a tenant's own.

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_000 + seconds)
}

fn event(seconds: u64, kind: EventKind, state: EventState, tenant: Option<&str>) -> ServiceEvent {
    ServiceEvent {
        at: at(seconds),
        onset: at(seconds),
        kind,
        cause: "ops".into(),
        state,
        tenant: tenant.map(str::to_owned),
    }
}

#[test]
fn an_affair_goes_on_until_it_ends() {
    let mut affairs = Affairs::default();
    affairs.handle_event(&event(1, EventKind::DoorFull, EventState::Began, None));
    affairs.handle_event(&event(60, EventKind::DoorFull, EventState::Ongoing, None));
    assert_eq!(affairs.going_on(3).len(), 1);
    affairs.handle_event(&event(70, EventKind::DoorFull, EventState::Ended, None));
    assert!(affairs.going_on(3).is_empty());
    assert!(affairs.told_since(EventKind::DoorFull, at(70)));
    assert!(!affairs.told_since(EventKind::DoorFull, at(71)));
}

#[test]
fn one_that_is_told_of_no_more_is_forgotten_and_a_start_ends_all() {
    let mut affairs = Affairs::default();
    affairs.handle_event(&event(1, EventKind::DoorFull, EventState::Began, None));
    affairs.handle_timeout(at(3_700));
    assert_eq!(affairs.going_on(3).len(), 1);
    affairs.handle_timeout(at(4_300));
    assert!(affairs.going_on(3).is_empty());
    let throttled = event(
        4_400,
        EventKind::TenantThrottled,
        EventState::Began,
        Some("acme"),
    );
    affairs.handle_event(&throttled);
    affairs.handle_event(&event(
        4_500,
        EventKind::Started,
        EventState::Happened,
        None,
    ));
    assert!(affairs.going_on(1).is_empty());
    let own: Vec<_> = affairs.of_tenant("acme").collect();
    assert_eq!(own[0].ended, Some(at(4_500)));
}

#[test]
fn what_concerns_tenants_matters_from_a_number_of_them_on() {
    let mut affairs = Affairs::default();
    for (count, tenant) in ["a", "b", "c"].iter().enumerate() {
        let kind = EventKind::ClientsReconnecting;
        affairs.handle_event(&event(count as u64, kind, EventState::Began, Some(tenant)));
        assert_eq!(affairs.going_on(3).len(), usize::from(count == 2));
    }
}

#[test]
fn a_tenant_has_his_own_and_only_the_last_of_them() {
    let mut affairs = Affairs::default();
    for count in 0..200 {
        let kind = EventKind::TenantThrottled;
        affairs.handle_event(&event(2 * count, kind, EventState::Began, Some("acme")));
        affairs.handle_event(&event(2 * count + 1, kind, EventState::Ended, Some("acme")));
    }
    let own: Vec<_> = affairs.of_tenant("acme").collect();
    assert_eq!(own.len(), OWN_MAX);
    assert_eq!((own[0].onset, own[0].ended), (at(398), Some(at(399))));
    assert_eq!(affairs.of_tenant("other").count(), 0);
}
