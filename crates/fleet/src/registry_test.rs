//! What was written is read; what makes no sense is told, and costs nothing else.

use base::Timestamp;

use super::*;
use crate::membership::Event;
use crate::testing::ring;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn record(role: Role, standing: Standing) -> String {
    let record = MemberRecord {
        name: "one".to_owned(),
        role,
        address: "10.0.0.1:8320".to_owned(),
        weight: 1000,
        standing,
        memory_bytes: 0,
    };
    serde_json::to_string(&record).unwrap()
}

fn read(pairs: &[(&str, &str)]) -> Registry {
    Registry::read(pairs.iter().map(|(key, value)| (*key, value.as_bytes())))
}

#[test]
fn a_fleet_is_what_its_keys_say() {
    let serving = Standing::founder(NOW);
    let suspect = serving.after(Event::Suspected, NOW).unwrap();
    let suspect = suspect.after(Event::Relieved, NOW).unwrap();
    let json = ring(&[1, 1]).to_json();
    let secret = [0x0f; 16];
    let registry = read(&[
        (RING, &json),
        (SECRET, &secret_text(&secret)),
        (&member_key(MemberId(1)), &record(Role::Cache, serving)),
        (&member_key(MemberId(2)), &record(Role::Cache, suspect)),
        (
            &member_key(MemberId(3)),
            &record(Role::Cache, Standing::new(NOW)),
        ),
        (&member_key(MemberId(4)), &record(Role::Volume, serving)),
        (&member_key(MemberId(11)), &record(Role::Gateway, serving)),
        (&member_key(MemberId(12)), &record(Role::Gateway, serving)),
        (&known_key(MemberId(1)), "1"),
        (&known_key(MemberId(11)), "2"),
        (NEXT_MEMBER, "13"),
        ("members-of-a-later-release/1", "?"),
    ]);
    assert_eq!(registry.problems, []);
    assert_eq!(registry.ring.as_deref(), Some(&ring(&[1, 1])));
    assert_eq!(registry.secret, Some(secret));
    let weights = [(1, 1000), (2, 500), (3, 0)].map(|(id, weight)| (MemberId(id), weight));
    assert_eq!(registry.weights(), weights.into_iter().collect());
    let heard = registry.heard();
    assert_eq!(heard.nodes.get(&MemberId(1)), Some(&Epoch(1)));
    let gateways = [(11, 2), (12, 0)].map(|(id, epoch)| (MemberId(id), Epoch(epoch)));
    assert_eq!(heard.gateways, gateways.into_iter().collect());
}

#[test]
fn what_makes_no_sense_is_told_and_left_out() {
    let good = record(Role::Cache, Standing::founder(NOW));
    let bad = [
        (RING, "{}"),
        (SECRET, "0f"),
        (SECRET, "zz0000000000000000000000000000zz"),
        (SECRET, "000000000000000000000000000000000"),
        ("members/1", "{}"),
        ("members/x", good.as_str()),
        ("members/", good.as_str()),
        ("known/1", "-1"),
        ("known/1", "\u{fffd}"),
        ("known/99999999999", "1"),
    ];
    for pair in bad {
        let registry = read(&[pair, ("members/7", &good)]);
        assert_eq!(registry.problems.len(), 1, "{pair:?}");
        assert_eq!(registry.problems[0].0, pair.0);
        assert_eq!(registry.members.len(), 1);
        assert!(registry.ring.is_none() && registry.secret.is_none());
        assert!(registry.heard().nodes.is_empty());
    }
}
