//! Every change through a data plane that checks the order of its steps.

use std::sync::atomic::Ordering;

use base::Rights;

use super::*;
use crate::fake_plane::{FakePlane, MIB};
use crate::wire::{CredentialRequest, LimitChange};

fn request(name: &str, memory_mib: u64) -> TenantRequest {
    TenantRequest {
        name: name.into(),
        memory_bytes: memory_mib * MIB,
        item_size_bytes: None,
        gateways: None,
    }
}

fn memory(mib: u64) -> LimitChange {
    LimitChange {
        memory_bytes: Some(mib * MIB),
        ..LimitChange::default()
    }
}

fn setup() -> (tempfile::TempDir, Arc<FakePlane>, Control) {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    (dir, plane, control)
}

/// Whether the user gets in, and if so with which rights.
fn login(plane: &FakePlane, username: &str, password: &str) -> Option<Rights> {
    let directory = plane.directory.lock().unwrap();
    let credential = directory.verify(username.as_bytes(), password.as_bytes())?;
    Some(credential.rights)
}

#[test]
fn a_new_tenant_can_log_in_and_default_has_made_room() {
    let (_dir, plane, control) = setup();
    let grant = control.add(&request("acme", 16)).unwrap();
    assert_eq!(grant.servers, ["127.0.0.1:11212"]);
    assert_eq!(
        (grant.tenant.as_str(), grant.username.as_str()),
        ("acme", "acme")
    );
    assert_eq!(login(&plane, "acme", &grant.password), Some(Rights::ALL));
    assert_eq!(login(&plane, "acme", "guess"), None);
    assert_eq!(plane.cache(1).quota_bytes, 48 * MIB);
    assert_eq!(plane.cache(2).quota_bytes, 16 * MIB);
}

#[test]
fn after_a_restart_everything_is_back() {
    let (dir, plane, control) = setup();
    let grant = control.add(&request("acme", 16)).unwrap();
    drop((plane, control));
    let (plane, control) = FakePlane::with_control(dir.path());
    assert_eq!(login(&plane, "acme", &grant.password), Some(Rights::ALL));
    assert_eq!(plane.cache(1).quota_bytes, 48 * MIB);
    assert_eq!(control.show("acme").unwrap().memory_bytes, 16 * MIB);
}

#[test]
fn memory_is_not_sold_twice() {
    let (_dir, plane, control) = setup();
    control.add(&request("acme", 40)).unwrap();
    let error = control.add(&request("beta", 23)).unwrap_err().to_string();
    for word in [
        "beta",
        "23MiB",
        "40MiB",
        "64MiB",
        "at most 22MiB",
        "--memory",
    ] {
        assert!(error.contains(word), "{word}: {error}");
    }
    control.add(&request("beta", 22)).unwrap();
    assert_eq!(plane.cache(1).quota_bytes, 2 * MIB);
    assert!(matches!(
        control.limit("acme", &memory(41)),
        Err(ControlError::Oversold { .. })
    ));
    let huge = TenantRequest {
        memory_bytes: u64::MAX,
        ..request("huge", 0)
    };
    assert!(matches!(
        control.add(&huge),
        Err(ControlError::Oversold { .. })
    ));
}

#[test]
fn a_quota_holds_two_items() {
    let (_dir, plane, control) = setup();
    let error = control.add(&request("tiny", 1)).unwrap_err().to_string();
    assert!(
        error.contains("2MiB") && error.contains("--item-size"),
        "{error}"
    );
    let small_items = TenantRequest {
        item_size_bytes: Some(1024),
        ..request("tiny", 1)
    };
    control.add(&small_items).unwrap();
    assert_eq!(plane.cache(2).item_size_max, 1024);
    for bytes in [0, 1023, (1 << 30) + 1, u64::MAX] {
        let wrong = TenantRequest {
            item_size_bytes: Some(bytes),
            ..request("wrong", 4)
        };
        assert!(
            matches!(control.add(&wrong), Err(ControlError::Invalid(_))),
            "{bytes}"
        );
    }
}

#[test]
fn limits_change_both_ways_without_overselling_in_between() {
    let (_dir, plane, control) = setup();
    control.add(&request("acme", 16)).unwrap();
    for mib in [62, 2, 30] {
        assert_eq!(
            control.limit("acme", &memory(mib)).unwrap().memory_bytes,
            mib * MIB
        );
        assert_eq!(plane.cache(2).quota_bytes, mib * MIB);
        assert_eq!(plane.cache(1).quota_bytes, (64 - mib) * MIB);
    }
    let both = |memory_mib, item| LimitChange {
        memory_bytes: Some(memory_mib * MIB),
        item_size_bytes: Some(item * MIB),
        ..LimitChange::default()
    };
    control.limit("acme", &both(60, 30)).unwrap();
    control.limit("acme", &both(4, 2)).unwrap();
    assert_eq!(plane.cache(2).item_size_max, 2 << 20);
    let alone = LimitChange {
        item_size_bytes: Some(3 * MIB),
        ..LimitChange::default()
    };
    assert!(matches!(
        control.limit("acme", &alone),
        Err(ControlError::Invalid(_))
    ));
}

#[test]
fn what_the_data_plane_refuses_is_undone() {
    let (_dir, plane, control) = setup();
    plane.refuse.store(true, Ordering::Relaxed);
    assert!(matches!(
        control.add(&request("acme", 16)),
        Err(ControlError::Plane(_))
    ));
    assert!(matches!(
        control.show("acme"),
        Err(ControlError::NoTenant(_))
    ));
    assert_eq!(plane.cache(1).quota_bytes, 64 * MIB);

    control.add(&request("acme", 16)).unwrap();
    plane.refuse.store(true, Ordering::Relaxed);
    assert!(matches!(
        control.limit("acme", &memory(20)),
        Err(ControlError::Plane(_))
    ));
    plane.refuse.store(false, Ordering::Relaxed);
    assert_eq!(control.show("acme").unwrap().memory_bytes, 16 * MIB);
    assert_eq!(plane.cache(1).quota_bytes, 48 * MIB);
}

#[test]
fn rotation_drops_nobody_and_revocation_ends_one_credential() {
    let (_dir, plane, control) = setup();
    let old = control.add(&request("acme", 16)).unwrap();
    let rotate = CredentialRequest {
        rights: None,
        primary: true,
    };
    let new = control.add_credential("acme", &rotate).unwrap();
    assert_ne!(old.username, new.username);
    assert!(login(&plane, &old.username, &old.password).is_some());
    assert!(login(&plane, &new.username, &new.password).is_some());
    let primary = |control: &Control| {
        let all = control.credentials("acme").unwrap();
        let primaries: Vec<_> = all.into_iter().filter(|c| c.primary).collect();
        assert_eq!(primaries.len(), 1);
        primaries[0].username.clone()
    };
    assert_eq!(primary(&control), new.username);

    control.promote("acme", &old.username).unwrap();
    assert_eq!(primary(&control), old.username);
    control.revoke("acme", &old.username).unwrap();
    assert_eq!(login(&plane, &old.username, &old.password), None);
    assert!(login(&plane, &new.username, &new.password).is_some());
    assert_eq!(primary(&control), new.username, "what remains takes over");
    let again = control.revoke("acme", &old.username);
    assert!(matches!(again, Err(ControlError::NoCredential { .. })));
    let next = control.add_credential("acme", &rotate).unwrap();
    assert_ne!(
        next.username, old.username,
        "a revoked name is not used again"
    );
}

#[test]
fn a_credential_has_the_rights_it_was_given() {
    let (_dir, plane, control) = setup();
    control.add(&request("acme", 16)).unwrap();
    let add = |rights: &str| {
        let rights = Some(rights.to_owned());
        control.add_credential(
            "acme",
            &CredentialRequest {
                rights,
                primary: false,
            },
        )
    };
    let reader = add("read").unwrap();
    let rights = login(&plane, &reader.username, &reader.password).unwrap();
    assert_eq!(
        rights,
        Rights {
            read: true,
            ..Rights::NONE
        }
    );
    for wrong in ["none", "", "admin", "read;write"] {
        assert!(
            matches!(add(wrong), Err(ControlError::Invalid(_))),
            "{wrong}"
        );
    }
}

#[test]
fn credentials_are_bounded_and_belong_to_one_tenant() {
    let (_dir, _plane, control) = setup();
    control.add(&request("acme", 16)).unwrap();
    control.add(&request("beta", 16)).unwrap();
    assert!(matches!(
        control.revoke("beta", "acme"),
        Err(ControlError::NoCredential { .. })
    ));
    let one_more = CredentialRequest::default();
    for _ in 1..64 {
        control.add_credential("acme", &one_more).unwrap();
    }
    let error = control.add_credential("acme", &one_more).unwrap_err();
    assert!(matches!(
        error,
        ControlError::TooManyCredentials { count: 64, .. }
    ));
}

#[test]
fn a_removed_tenant_is_gone_and_its_memory_is_default_s() {
    let (_dir, plane, control) = setup();
    let grant = control.add(&request("acme", 16)).unwrap();
    control.remove("acme").unwrap();
    assert_eq!(login(&plane, "acme", &grant.password), None);
    assert_eq!(plane.cache(1).quota_bytes, 64 * MIB);
    assert!(matches!(
        control.remove("acme"),
        Err(ControlError::NoTenant(_))
    ));
    let again = control.add(&request("acme", 16)).unwrap();
    assert_ne!(again.password, grant.password);
    assert!(
        plane.caches.lock().unwrap().contains_key(&3),
        "a number is not used twice"
    );
}

#[test]
fn default_is_open_shown_and_flushed_and_nothing_else() {
    let (_dir, plane, control) = setup();
    control.add(&request("acme", 16)).unwrap();
    let names: Vec<String> = control
        .list()
        .unwrap()
        .into_iter()
        .map(|t| t.tenant)
        .collect();
    assert_eq!(names, ["default", "acme"]);
    control.flush("default").unwrap();
    control.flush("acme").unwrap();
    assert_eq!((plane.cache(1).flushes, plane.cache(2).flushes), (1, 1));
    assert!(matches!(
        control.remove("default"),
        Err(ControlError::OpenTenant)
    ));
    assert!(matches!(
        control.limit("default", &memory(8)),
        Err(ControlError::OpenTenant)
    ));
    let credential = control.add_credential("default", &CredentialRequest::default());
    assert!(matches!(credential, Err(ControlError::OpenTenant)));
    assert!(matches!(
        control.add(&request("default", 8)),
        Err(ControlError::Taken(_))
    ));
    assert!(matches!(
        control.add(&request("acme", 8)),
        Err(ControlError::Taken(_))
    ));
}

#[test]
fn new_sizes_are_checked_against_what_is_sold() {
    let (_dir, plane, control) = setup();
    control.add(&request("acme", 16)).unwrap();
    let sizes = |memory_mib: u64, item_size_max| Sizes {
        memory_bytes: memory_mib * MIB,
        item_size_max,
    };
    let error = control
        .configure(sizes(17, 1 << 20), Vec::new())
        .unwrap_err()
        .to_string();
    assert!(error.contains("--memory 18MiB"), "{error}");
    assert_eq!(plane.cache(1).quota_bytes, 48 * MIB);
    for (memory_mib, item_size_max) in [(18, 1 << 20), (64, 24 << 20), (18, 1 << 10)] {
        control
            .configure(sizes(memory_mib, item_size_max), Vec::new())
            .unwrap();
        let default = plane.cache(1);
        assert_eq!(default.quota_bytes, (memory_mib - 16) * MIB);
        assert_eq!(default.item_size_max, item_size_max);
    }
}

#[test]
fn figures_cover_all_tenants_or_one() {
    let (_dir, _plane, control) = setup();
    control.add(&request("acme", 16)).unwrap();
    let stat = control.stat(None, 5).unwrap();
    assert_eq!(stat.tenants.len(), 2);
    assert_eq!(
        (stat.memory.sold_bytes, stat.memory.default_bytes),
        (16 * MIB, 48 * MIB)
    );
    assert_eq!(
        (stat.memory.held_bytes, stat.connections.open, stat.uptime_s),
        (8192, 7, 5)
    );
    let one = control.stat(Some("acme"), 5).unwrap();
    assert_eq!(one.tenants.len(), 1);
    assert_eq!(
        one.memory.held_bytes, 8192,
        "sums are of all tenants all the same"
    );
    assert!(matches!(
        control.stat(Some("nobody"), 5),
        Err(ControlError::NoTenant(_))
    ));
}

#[test]
fn without_a_daemon_the_state_changes_and_live_things_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = Sizes {
        memory_bytes: 64 * MIB,
        item_size_max: 1 << 20,
    };
    let state = State::open(dir.path()).unwrap();
    let control = Control::new(state, Arc::new(NoPlane), sizes, Vec::new());
    control.add(&request("acme", 16)).unwrap();
    assert_eq!(control.show("acme").unwrap().used_bytes, None);
    assert!(matches!(
        control.flush("acme"),
        Err(ControlError::NotRunning)
    ));
    assert!(matches!(
        control.stat(None, 0),
        Err(ControlError::NotRunning)
    ));
    assert!(control.backup().unwrap().starts_with(b"SQLite format 3\0"));
}
