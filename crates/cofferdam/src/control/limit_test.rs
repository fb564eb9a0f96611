//! Limits of traffic: in force at once, kept over a restart, `default`'s too.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{TenantId, TrafficLimits};

use super::*;
use crate::fake_plane::{FakePlane, MIB};
use crate::wire::{TenantRequest, TrafficChange};

fn setup() -> (tempfile::TempDir, std::sync::Arc<FakePlane>, Control) {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control) = FakePlane::with_control(dir.path());
    let request = TenantRequest {
        name: "acme".into(),
        memory_bytes: 16 * MIB,
        item_size_bytes: None,
        gateways: None,
    };
    control.add(&request).unwrap();
    (dir, plane, control)
}

fn traffic(change: TrafficChange) -> LimitChange {
    LimitChange {
        traffic: change,
        ..LimitChange::default()
    }
}

fn in_force(plane: &FakePlane, id: u32) -> TrafficLimits {
    let directory = plane.directory.lock().unwrap();
    directory.tenant(TenantId(id)).unwrap().traffic
}

#[test]
fn a_limit_is_in_force_at_once_and_after_a_restart() {
    let (dir, plane, control) = setup();
    assert_eq!(in_force(&plane, 2), TrafficLimits::default());
    let change = traffic(TrafficChange {
        ops_per_second: Some(Some(1000)),
        max_delay_ms: Some(Some(50)),
        ..TrafficChange::default()
    });
    let view = control.limit("acme", &change).unwrap();
    assert_eq!(view.traffic.ops_per_second, Some(1000));
    let expected = TrafficLimits {
        ops_per_second: Some(1000),
        max_delay: Duration::from_millis(50),
        ..TrafficLimits::default()
    };
    assert_eq!(in_force(&plane, 2), expected);
    assert_eq!(in_force(&plane, 1), TrafficLimits::default());
    drop((plane, control));
    let (plane, control) = FakePlane::with_control(dir.path());
    assert_eq!(in_force(&plane, 2), expected);
    let none = traffic(TrafficChange {
        ops_per_second: Some(None),
        max_delay_ms: Some(None),
        ..TrafficChange::default()
    });
    control.limit("acme", &none).unwrap();
    assert_eq!(in_force(&plane, 2), TrafficLimits::default());
}

#[test]
fn default_can_be_limited_in_traffic_only() {
    let (dir, plane, control) = setup();
    let change = traffic(TrafficChange {
        weight: Some(Some(10)),
        connections: Some(Some(5)),
        ..TrafficChange::default()
    });
    let view = control.limit("default", &change).unwrap();
    assert_eq!(
        (view.traffic.weight, view.traffic.connections),
        (10, Some(5))
    );
    assert_eq!(in_force(&plane, 1).connections, Some(5));
    let with_memory = LimitChange {
        memory_bytes: Some(32 * MIB),
        ..change
    };
    let refused = control.limit("default", &with_memory);
    assert!(matches!(refused, Err(ControlError::OpenTenant)));
    drop((plane, control));
    let (plane, control) = FakePlane::with_control(dir.path());
    assert_eq!(in_force(&plane, 1).weight, 10);
    assert_eq!(control.show("default").unwrap().traffic.weight, 10);
}

#[test]
fn a_change_that_the_data_plane_refuses_changes_no_traffic_either() {
    let (_dir, plane, control) = setup();
    let both = LimitChange {
        memory_bytes: Some(20 * MIB),
        traffic: TrafficChange {
            weight: Some(Some(7)),
            ..TrafficChange::default()
        },
        ..LimitChange::default()
    };
    plane.fail_at.store(1, Ordering::Relaxed);
    control.limit("acme", &both).unwrap_err();
    let kept = control.show("acme").unwrap();
    assert_eq!((kept.memory_bytes, kept.traffic.weight), (16 * MIB, 100));
    assert_eq!(in_force(&plane, 2), TrafficLimits::default());
    let oversold = LimitChange {
        memory_bytes: Some(64 * MIB),
        ..both.clone()
    };
    control.limit("acme", &oversold).unwrap_err();
    assert_eq!(control.show("acme").unwrap().traffic.weight, 100);
    control.limit("acme", &both).unwrap();
    assert_eq!(in_force(&plane, 2).weight, 7);
}

#[test]
fn limits_of_nobody_are_refused() {
    let (_dir, _plane, control) = setup();
    let refused = control.limit("nobody", &traffic(TrafficChange::default()));
    assert!(matches!(refused, Err(ControlError::NoTenant(_))));
}
