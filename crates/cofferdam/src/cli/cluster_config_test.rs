//! What is written for a new member is a configuration that says what it should.

use super::*;
use crate::config::Config;

fn member(role: Role) -> Membership {
    Membership {
        fleet: "main".to_owned(),
        name: "member1".to_owned(),
        role,
        authority: "10.0.0.101:8323".to_owned(),
        endpoints: vec!["https://10.0.0.11:2379".to_owned()],
    }
}

#[test]
fn a_node_and_a_gateway_listen_where_they_were_told() {
    let listen: Addr = "10.0.0.1:8322".parse().unwrap();
    let node = text(
        &member(Role::Node),
        Some(Path::new("/a \"b\"")),
        None,
        Some(listen),
    );
    let node = Config::parse(&node).unwrap();
    assert_eq!(
        (node.fleet.name.as_str(), node.fleet.listen),
        ("member1", listen)
    );
    assert_eq!(node.data_dir(), Path::new("/a \"b\""));
    assert_eq!(node.store.endpoints, ["https://10.0.0.11:2379"]);
    let folder = Path::new("/certificates");
    let gateway = text(&member(Role::Gateway), None, Some(folder), Some(listen));
    let gateway = Config::parse(&gateway).unwrap();
    assert_eq!(gateway.listen.memcache_auth, listen);
    assert_eq!(gateway.fleet.certificates.as_deref(), Some(folder));
}

#[test]
fn what_was_not_told_stays_as_it_is_without_a_configuration() {
    let bare = Membership {
        endpoints: Vec::new(),
        ..member(Role::Node)
    };
    let config = Config::parse(&text(&bare, None, None, None)).unwrap();
    let unsaid = Config::default();
    assert_eq!(config.fleet.listen, unsaid.fleet.listen);
    assert!(config.store.endpoints.is_empty());
}
