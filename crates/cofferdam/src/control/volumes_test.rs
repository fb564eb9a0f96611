//! Names and sizes of volumes, and what becomes of them over the state.

use super::*;
use crate::control::{NoPlane, Sizes};
use runtime::Clock;
use runtime::state::State;

fn request(name: &str, size_bytes: u64) -> VolumeRequest {
    VolumeRequest {
        name: name.to_owned(),
        size_bytes,
        journal_bytes: Some(1 << 20),
        shared: false,
    }
}

fn control(dir: &std::path::Path) -> Control {
    let sizes = Sizes {
        memory_bytes: 64 << 20,
        item_size_max: 1 << 20,
    };
    let state = State::open(dir).unwrap();
    let control = Control::new(state, Arc::new(NoPlane), sizes, Vec::new());
    control.restore().unwrap();
    let volumes = Volumes::new(&dir.join("volumes"), Clock::new()).unwrap();
    let places = NbdPlaces {
        tcp: Some("127.0.0.1:10809".parse().unwrap()),
        is_tls: false,
        unix: Some("/run/nbd.sock".into()),
    };
    let volumes = Arc::new(volumes);
    control.serve_volumes(VolumePlane { volumes, places });
    control.restore_volumes().unwrap();
    control
}

fn tenant(control: &Control, name: &str) {
    let request = crate::wire::TenantRequest {
        name: name.to_owned(),
        memory_bytes: 8 << 20,
        item_size_bytes: None,
        gateways: None,
    };
    control.add(&request).unwrap();
}

#[test]
fn volumes_are_there_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = control(dir.path());
    tenant(&first, "acme");
    first.create_volume(&request("data", 1 << 30)).unwrap();
    first.create_volume(&request("acme/data", 2 << 30)).unwrap();
    drop(first);
    let second = control(dir.path());
    let names: Vec<String> = second
        .volumes()
        .unwrap()
        .into_iter()
        .map(|v| v.volume)
        .collect();
    assert_eq!(names, ["acme/data", "data"]);
    let open = second.attach_volume("default/data").unwrap();
    assert_eq!(open.tcp.as_deref(), Some("127.0.0.1:10809"));
    let sold = second.attach_volume("acme/data").unwrap();
    assert_eq!((sold.tcp, sold.unix.is_some()), (None, true));
    assert!(second.show_volume("acme/data").unwrap().attached.is_some());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let control = control(dir.path());
    let refused = |name, size| {
        control
            .create_volume(&request(name, size))
            .unwrap_err()
            .to_string()
    };
    assert!(refused("Data", 1 << 30).contains("lower-case"));
    assert!(refused("acme/data", 1 << 30).contains("no tenant"));
    assert!(refused("a/b/c", 1 << 30).contains("no name for a volume"));
    assert!(refused("data", 4095).contains("multiple of 4KiB"));
    assert!(refused("data", u64::MAX).contains("choose"));
    control.create_volume(&request("data", 1 << 30)).unwrap();
    assert!(refused("data", 1 << 30).contains("in use"));
    assert!(
        control
            .show_volume("none")
            .unwrap_err()
            .to_string()
            .contains("volume list")
    );
}

#[test]
fn a_tenant_with_volumes_stays_until_they_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let control = control(dir.path());
    tenant(&control, "acme");
    control
        .create_volume(&request("acme/data", 1 << 30))
        .unwrap();
    let refused = control.remove("acme").unwrap_err();
    assert!(
        matches!(refused, ControlError::HasVolumes { count: 1, .. }),
        "{refused}"
    );
    control.remove_volume("acme/data").unwrap();
    control.remove("acme").unwrap();
}
