//! Tests of where a node is asked and what it answers.

use base::Timestamp;
use base::fleet::MemberId;
use fleet::membership::{Event, Standing};
use fleet::registry::MemberRecord;

use super::*;

#[test]
fn a_node_is_asked_beside_a_gateway_unless_it_is_said_where() {
    let unsaid = address(Listen::default().admin).unwrap();
    assert_eq!(unsaid, "127.0.0.1:8321".parse().unwrap());
    let said: SocketAddr = "127.0.0.1:9000".parse().unwrap();
    assert_eq!(address(Switch::On(Addr(said))), Some(said));
    assert_eq!(address(Switch::Off), None);
}

#[test]
fn who_asks_a_node_what_gateways_know_is_told_where_to_ask() {
    let standing = Standing::founder(Timestamp::from_secs(1));
    let ended = standing
        .after(Event::Drain, Timestamp::from_secs(2))
        .unwrap();
    let mut registry = Registry::default();
    for (id, role, name, standing) in [
        (1, Role::Cache, "node1", standing),
        (2, Role::Gateway, "gateway1", standing),
        (3, Role::Gateway, "gateway2", ended),
    ] {
        let record = MemberRecord {
            name: name.to_owned(),
            role,
            address: "10.0.0.1:1".to_owned(),
            weight: 100,
            standing,
            memory_bytes: 0,
        };
        registry.members.insert(MemberId(id), record);
    }
    let told = where_to_ask(Some(&registry));
    assert!(told.contains("ask a gateway: gateway1, with"), "{told}");
    assert!(where_to_ask(None).contains("a gateway of its fleet"));
}

#[test]
fn figures_come_with_and_without_a_store() {
    let mut totals = NodeTotals {
        links: 2,
        ..NodeTotals::default()
    };
    totals.requests.late = 3;
    totals.requests.queued_ns = 1_500_000_000;
    let page = page(&totals, None, None, Some((1_800_000_000, 1_900_000_000))).into_text();
    for told in [
        "start_timestamp_seconds{shown_to=\"members\"} 1800000000",
        "end_timestamp_seconds{shown_to=\"members\"} 1900000000",
    ] {
        assert!(
            page.contains(&format!("cofferdam_certificate_{told}\n")),
            "{page}"
        );
    }
    assert!(page.contains("cofferdam_node_links 2\n"), "{page}");
    assert!(page.contains("cofferdam_node_requests_total{outcome=\"late\"} 3\n"));
    assert!(page.contains("cofferdam_node_queued_seconds_total 1.5\n"));
    assert!(!page.contains("store"));
}
