//! Commands find the daemon's API, or answer from the state themselves.

use super::*;
use crate::wire::{Grant, TenantRequest, TenantView};

fn global(dir: &Path) -> Global {
    Global {
        config: None,
        data_dir: Some(dir.to_owned()),
        admin: None,
        admin_ca: None,
        json: false,
        log_format: None,
    }
}

#[test]
fn without_a_daemon_the_state_answers() {
    let dir = tempfile::tempdir().unwrap();
    let request = TenantRequest {
        name: "acme".into(),
        memory_bytes: 16 << 20,
        item_size_bytes: None,
        gateways: None,
    };
    let access = Access::find(&global(dir.path())).unwrap();
    assert!(matches!(access, Access::State(_)));
    let grant: Grant = access
        .ask(Method::POST, "/v1/tenants", Some(&request))
        .unwrap();
    assert_eq!(grant.servers, ["127.0.0.1:11212"]);
    let again = access.ask::<Grant>(Method::POST, "/v1/tenants", Some(&request));
    assert!(again.unwrap_err().to_string().contains("acme"));
    drop(access);
    let access = Access::find(&global(dir.path())).unwrap();
    let tenants: Vec<TenantView> = access.ask(Method::GET, "/v1/tenants", None::<&()>).unwrap();
    assert_eq!(tenants.len(), 2);
}

#[test]
fn a_locked_state_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let _state = State::open(dir.path()).unwrap();
    let Err(error) = Access::find(&global(dir.path())) else {
        panic!("the state is locked")
    };
    assert!(error.to_string().contains("try again"), "{error}");
}

#[test]
fn live_commands_need_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let Err(error) = Access::daemon(&global(&dir.path().join("missing"))) else {
        panic!("nothing runs there")
    };
    assert!(error.to_string().contains("cofferdam up"), "{error}");
    assert!(!dir.path().join("missing").exists(), "asking makes nothing");
}

#[test]
fn an_admin_address_needs_a_token_and_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let mut global = global(dir.path());
    global.admin = Some("127.0.0.1:1".parse().unwrap());
    let error = Access::find(&global).err().unwrap().to_string();
    assert!(
        error.contains(files::ADMIN_TOKEN) && error.contains(files::TOKEN_VARIABLE),
        "{error}"
    );
    files::token(&dir.path().join(files::ADMIN_TOKEN)).unwrap();
    let access = Access::find(&global).unwrap();
    let error = access.tell(Method::GET, "/livez").unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
}

#[test]
fn segments_keep_a_path_s_shape() {
    assert_eq!(segment("acme-2.x_y~z"), "acme-2.x_y~z");
    assert_eq!(segment("../a b?c#d%é"), "..%2Fa%20b%3Fc%23d%25%C3%A9");
}
