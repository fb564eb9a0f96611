//! The canary can log in, and is in nobody's way.

use super::*;
use crate::fake_plane::{FakePlane, MIB};
use crate::wire::TenantRequest;

#[test]
fn it_is_in_the_directory_and_in_no_list() {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control, login) = FakePlane::with_canary(dir.path());
    let verify = |password: &str| {
        let directory = plane.directory.lock().unwrap();
        let found = directory.verify(login.username.as_bytes(), password.as_bytes());
        found.map(|credential| credential.tenant)
    };
    assert_eq!(
        (verify(&login.password), verify("wrong")),
        (Some(CANARY), None)
    );
    assert_eq!(control.list().unwrap().len(), 1);
    let request = TenantRequest {
        name: "acme".into(),
        memory_bytes: 60 * MIB,
        item_size_bytes: None,
        gateways: None,
    };
    // What is for sale is as much as without it, and it stays when others come and go.
    control.add(&request).unwrap();
    control.remove("acme").unwrap();
    assert_eq!(verify(&login.password), Some(CANARY));
    assert_eq!(control.list().unwrap().len(), 1);
    assert!(control.show(NAME).is_err() && control.remove(NAME).is_err());
}

#[test]
fn no_tenant_can_take_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let (_, control) = FakePlane::with_control(dir.path());
    let request = TenantRequest {
        name: NAME.into(),
        memory_bytes: MIB,
        item_size_bytes: None,
        gateways: None,
    };
    assert!(matches!(
        control.add(&request),
        Err(ControlError::Invalid(_))
    ));
}
