//! What a server probes itself with, and who is let in by it.

use super::*;
use crate::fake_plane::FakePlane;

fn login() -> CanaryLogin {
    CanaryLogin {
        username: "status.canary".into(),
        password: "secret".into(),
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn it_probes_where_its_clients_connect() {
    let config = Config::parse("").unwrap();
    for (bound, probed) in [
        ("127.0.0.1:11212", "127.0.0.1:11212"),
        ("0.0.0.0:1", "127.0.0.1:1"),
        ("[::]:1", "[::1]:1"),
        ("10.0.0.5:7", "10.0.0.5:7"),
    ] {
        let gateway = itself(&config, &login(), addr(bound)).unwrap();
        assert_eq!(gateway.target.address, probed);
        assert!(gateway.target.tls.is_none());
    }
}

#[test]
fn what_it_cannot_give_it_does_not_try() {
    let tls = "[tls]\nlisteners = [\"memcache_auth\"]\ncertificate = \"/c\"\nkey = \"/k\"\n";
    let gateway = |text: &str| itself(&Config::parse(text).unwrap(), &login(), addr("127.0.0.1:1"));
    assert!(gateway(tls).unwrap().target.tls.is_some());
    let required = format!("{tls}client_ca = \"/a\"\nclient_certificate = \"required\"\n");
    assert!(gateway(&required).is_none());
    assert!(gateway("[listen]\nproxy_protocol_from = [\"127.0.0.0/8\"]\n").is_none());
    assert!(gateway("[listen]\nproxy_protocol_from = [\"10.0.0.0/8\"]\n").is_some());
}

#[test]
fn tenants_are_let_in_and_the_canary_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (plane, control, canary) = FakePlane::with_canary(dir.path());
    let request = crate::wire::TenantRequest {
        name: "acme".into(),
        memory_bytes: 4 << 20,
        item_size_bytes: None,
        gateways: None,
    };
    let grant = control.add(&request).unwrap();
    let doorman = doorman(plane);
    assert_eq!(
        doorman(&grant.username, &grant.password),
        Ok(Some("acme".into()))
    );
    assert_eq!(doorman(&grant.username, "wrong"), Ok(None));
    assert_eq!(doorman("nobody", &grant.password), Ok(None));
    assert_eq!(doorman(&canary.username, &canary.password), Ok(None));
}
