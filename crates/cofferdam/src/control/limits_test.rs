//! Limits: the least of them, all of a change or nothing, and rows that no cache would take.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use base::TrafficLimits;

use super::*;
use crate::fake_plane::{FakeCache, FakePlane, MIB};
use crate::wire::LimitChange;

const KIB: u64 = 1 << 10;

fn request(name: &str, memory_bytes: u64, item_size_bytes: u64) -> TenantRequest {
    TenantRequest {
        name: name.into(),
        memory_bytes,
        item_size_bytes: Some(item_size_bytes),
        gateways: None,
    }
}

fn change(memory_bytes: u64, item_size_bytes: u64) -> LimitChange {
    LimitChange {
        memory_bytes: Some(memory_bytes),
        item_size_bytes: Some(item_size_bytes),
        ..LimitChange::default()
    }
}

fn sizes(memory_bytes: u64, item_size_max: u32) -> Sizes {
    Sizes {
        memory_bytes,
        item_size_max,
    }
}

fn offline(dir: &std::path::Path) -> Control {
    let state = State::open(dir).unwrap();
    Control::new(state, Arc::new(NoPlane), sizes(64 * MIB, 1 << 20), vec![])
}

fn caches(plane: &FakePlane) -> BTreeMap<u32, FakeCache> {
    plane.caches.lock().unwrap().clone()
}

#[test]
fn a_quota_below_the_floor_is_refused_with_and_without_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let (_plane, running) = FakePlane::with_control(dir.path());
    let beside = tempfile::tempdir().unwrap();
    for control in [running, offline(beside.path())] {
        let tiny = request("tiny", 64 * KIB, KIB);
        let error = control.add(&tiny).unwrap_err();
        assert!(matches!(error, ControlError::Invalid(_)), "{error}");
        let error = error.to_string();
        assert!(
            error.contains("tiny") && error.contains("give at least 256KiB"),
            "{error}"
        );
        assert!(!error.contains("--item-size"), "it would not help: {error}");
        control.add(&request("tiny", 256 * KIB, KIB)).unwrap();
        let error = control.limit("tiny", &change(100 * KIB, KIB)).unwrap_err();
        assert!(matches!(error, ControlError::Invalid(_)), "{error}");
    }
}

#[test]
fn default_keeps_the_floor() {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    control.configure(sizes(MIB, KIB as u32), vec![]).unwrap();
    assert!(matches!(
        control.add(&request("acme", 769 * KIB, KIB)),
        Err(ControlError::Oversold { left, .. }) if left == 768 * KIB
    ));
    control.add(&request("acme", 768 * KIB, KIB)).unwrap();
    assert_eq!(plane.cache(1).quota_bytes, 256 * KIB);
}

#[test]
fn a_limit_that_fails_at_any_step_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    control.add(&request("acme", 16 * MIB, MIB)).unwrap();
    let to = [
        change(2 * MIB, 512 * KIB),
        change(30 * MIB, 10 * MIB),
        change(4 * MIB, 2 * MIB),
        change(30 * MIB, KIB),
        change(100 * KIB, KIB),
        change(63 * MIB, KIB),
    ];
    let before = caches(&plane);
    let mut refusals = 0;
    for change in &to {
        for step in 1..=5 {
            plane.fail_at.store(step, Ordering::Relaxed);
            if control.limit("acme", change).is_ok() {
                assert!(step > 3, "a change of three steps");
                plane.fail_at.store(0, Ordering::Relaxed);
                control.limit("acme", &self::change(16 * MIB, MIB)).unwrap();
                break;
            }
            refusals += 1;
            plane.fail_at.store(0, Ordering::Relaxed);
            assert_eq!(caches(&plane), before, "{change:?} at {step}");
            let view = control.show("acme").unwrap();
            assert_eq!(
                (view.memory_bytes, view.item_size_bytes),
                (16 * MIB, 1 << 20)
            );
        }
    }
    assert_eq!(refusals, 4 * 3 + 2 * 5);
    assert_eq!(caches(&plane), before);
}

#[test]
fn a_configuration_that_fails_at_any_step_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    let before = caches(&plane);
    for (memory, item_size) in [(32 * MIB, 1 << 10), (32 * MIB, 2 << 20)] {
        for step in [1, 2] {
            plane.fail_at.store(step, Ordering::Relaxed);
            let servers = vec!["elsewhere:1".to_owned()];
            control
                .configure(sizes(memory, item_size), servers)
                .unwrap_err();
            plane.fail_at.store(0, Ordering::Relaxed);
            assert_eq!(caches(&plane), before);
        }
    }
    let inner = control.inner();
    let kept = |key| inner.state.remark(key).unwrap().unwrap();
    assert_eq!(kept(remarks::MEMORY), (64 * MIB).to_string());
    assert_eq!(kept(remarks::SERVERS), "127.0.0.1:11212");
    assert_eq!(inner.sizes, sizes(64 * MIB, 1 << 20));
}

#[test]
fn a_removed_tenant_s_cache_goes_even_if_default_cannot_grow() {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    control.add(&request("acme", 16 * MIB, MIB)).unwrap();
    plane.fail_at.store(1, Ordering::Relaxed);
    control.remove("acme").unwrap();
    assert_eq!(caches(&plane).keys().collect::<Vec<_>>(), [&1]);
    control.add(&request("beta", 16 * MIB, MIB)).unwrap();
    assert_eq!(plane.cache(1).quota_bytes, 48 * MIB);
}

#[test]
fn default_does_not_grow_before_the_memory_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    control.add(&request("acme", 16 * MIB, MIB)).unwrap();
    plane.is_slow_to_give_back.store(true, Ordering::Relaxed);
    control.remove("acme").unwrap();
    assert_eq!(plane.cache(1).quota_bytes, 48 * MIB);
    plane.is_slow_to_give_back.store(false, Ordering::Relaxed);
    control.add(&request("beta", 8 * MIB, MIB)).unwrap();
    assert_eq!(plane.cache(1).quota_bytes, 56 * MIB);
}

#[test]
fn a_row_out_of_bounds_is_raised_and_keeps_nobody_down() {
    let dir = tempfile::tempdir().unwrap();
    let control = offline(dir.path());
    for name in ["acme", "beta", "tiny"] {
        control.add(&request(name, MIB, 64 * KIB)).unwrap();
    }
    let id = |name: &str| {
        sold(&control.inner().state.tenants().unwrap(), name)
            .unwrap()
            .id
    };
    let (beta, tiny) = (id("beta"), id("tiny"));
    let unlimited = TrafficLimits::default();
    control
        .inner()
        .state
        .set_limits(beta, 4 * MIB, 0, unlimited)
        .unwrap();
    control
        .inner()
        .state
        .set_limits(tiny, 64 * KIB, 1024, unlimited)
        .unwrap();
    drop(control);
    let (plane, control) = FakePlane::with_control(dir.path());
    assert_eq!(plane.cache(tiny.0).quota_bytes, 256 * KIB);
    assert_eq!(plane.cache(beta.0).item_size_max, 1024);
    assert_eq!(plane.caches.lock().unwrap().len(), 4);
    assert_eq!(control.show("tiny").unwrap().memory_bytes, 256 * KIB);
}

#[test]
fn a_tenant_that_cannot_be_restored_is_named() {
    let dir = tempfile::tempdir().unwrap();
    offline(dir.path()).add(&request("acme", MIB, KIB)).unwrap();
    let plane = Arc::new(FakePlane {
        memory_bytes: 64 * MIB,
        ..FakePlane::default()
    });
    // The first cache is that of `default`.
    plane.fail_at.store(2, Ordering::Relaxed);
    let state = State::open(dir.path()).unwrap();
    let control = Control::new(state, plane, sizes(64 * MIB, 1 << 20), vec![]);
    let error = control.restore().unwrap_err().to_string();
    assert!(error.contains("\"acme\""), "{error}");
}
