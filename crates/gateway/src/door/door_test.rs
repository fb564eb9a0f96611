//! Who is let in, who waits for whom, and who has to go, at the door.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base::{CredentialId, Rights, TenantId, Timestamp, TrafficLimits};

use super::{Door, DoorConfig, EntrantId, Verdict};
use crate::directory::{Credential, Directory, Tenant};
use crate::{Figures, Peer};

const T0: Timestamp = Timestamp::from_secs(1_000_000);

fn directory() -> Arc<Directory> {
    let tenants = ["acme", "bolt", "cube"]
        .iter()
        .zip(1..)
        .map(|(name, id)| Tenant {
            id: TenantId(id),
            name: (*name).into(),
            item_size_max: 1 << 20,
            traffic: TrafficLimits::default(),
        });
    let credentials = ["acme", "bolt", "cube"].iter().zip(1..).map(|(name, id)| {
        let credential = Credential {
            id: CredentialId(id),
            tenant: TenantId(id),
            rights: Rights::ALL,
            salt: [7; 16],
            password_sha256: Credential::hash_password(&[7; 16], b"secret"),
        };
        ((*name).to_string(), credential)
    });
    Arc::new(Directory::new(tenants, credentials))
}

fn door(entrants_max: usize) -> Door {
    let config = DoorConfig {
        connections_max: 1000,
        entrants_max,
        entrants_per_source_max: entrants_max,
        connects_per_second_per_source_max: None,
        memory_max: 1 << 20,
        timeout: Duration::from_secs(5),
        protections: true,
        loop_index: 0,
    };
    Door::new(config, directory(), Arc::new(Figures::new(1)))
}

fn peer(source: u8) -> Peer {
    Peer::Ip(Ipv4Addr::new(127, 0, 0, source).into(), 4000)
}

fn login(user: &str, password: &str) -> Vec<u8> {
    let body = format!("{user} {password}");
    format!("set auth 0 0 {}\r\n{body}\r\n", body.len()).into_bytes()
}

fn enter(door: &mut Door, source: u8, link: u64, says: &[u8]) -> EntrantId {
    let entry = door.enter(T0, peer(source), link);
    assert_eq!(entry.shed, None);
    door.receive(entry.id, says);
    entry.id
}

fn judge_next(door: &mut Door) -> Option<(u64, Verdict, String)> {
    let (id, link) = door.next_entrant()?;
    let mut out = Vec::new();
    let verdict = door.judge(T0, id, &mut out);
    Some((link, verdict, String::from_utf8(out).unwrap()))
}

/// Whether nothing is kept of anybody who stood here.
fn is_forgotten(door: &Door) -> bool {
    door.line.is_forgotten()
        && door.sources.is_empty()
        && door.entrants.is_empty()
        && door.memory_bytes == 0
}

#[test]
fn the_right_password_admits_and_hands_on_what_came_behind_it() {
    let mut door = door(8);
    let said = [login("acme", "secret"), b"get a\r\n".to_vec()].concat();
    enter(&mut door, 1, 10, &said);
    let (link, verdict, answer) = judge_next(&mut door).unwrap();
    let Verdict::Admit(admitted) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!((link, answer.as_str()), (10, "STORED\r\n"));
    assert_eq!(admitted.tenant, TenantId(1));
    assert_eq!(admitted.credential, Some(CredentialId(1)));
    assert_eq!(admitted.unparsed, b"get a\r\n");
    assert!(door.is_empty());
}

#[test]
fn a_wrong_password_is_told_and_may_be_corrected() {
    let mut door = door(8);
    for (user, password) in [("acme", "wrong"), ("nobody", "secret"), ("acme", "")] {
        let id = enter(&mut door, 1, 1, &login(user, password));
        let (_, verdict, answer) = judge_next(&mut door).unwrap();
        assert_eq!(verdict, Verdict::Stay);
        assert_eq!(answer, "CLIENT_ERROR authentication failure\r\n");
        door.receive(id, &login("acme", "secret"));
        assert!(matches!(
            judge_next(&mut door),
            Some((1, Verdict::Admit(_), _))
        ));
    }
}

#[test]
fn anything_else_before_the_password_is_refused() {
    for said in [
        &b"get a\r\n"[..],
        b"\r\n",
        b"version\r\n",
        b"flush_all\r\n",
        b"stats\r\n",
        b"mn\r\n",
    ] {
        let mut door = door(8);
        enter(&mut door, 1, 1, said);
        let (_, verdict, _) = judge_next(&mut door).unwrap();
        assert!(
            !matches!(verdict, Verdict::Admit(_)),
            "{said:?}: {verdict:?}"
        );
    }
}

#[test]
fn more_than_the_door_holds_without_a_whole_login_is_refused() {
    let mut door = door(8);
    let id = enter(&mut door, 1, 1, b"set auth 0 0 4000\r\n");
    let left = door.input_len_left(id);
    assert!(left <= 4096);
    door.receive(id, &vec![b'x'; left]);
    assert_eq!(door.input_len_left(id), 0);
    let (_, verdict, _) = judge_next(&mut door).unwrap();
    assert_eq!(verdict, Verdict::Refuse);
    assert!(door.is_empty());
}

#[test]
fn half_a_login_waits_without_a_turn_until_its_time_is_up() {
    let mut door = door(8);
    enter(&mut door, 1, 1, b"set auth 0 0 11\r\nacme");
    assert!(door.next_entrant().is_none());
    let deadline = door.deadline().unwrap();
    assert_eq!(deadline, T0 + Duration::from_secs(5));
    assert_eq!(door.expire(deadline - Duration::from_nanos(1)), None);
    assert_eq!(door.expire(deadline), Some(1));
    assert_eq!(door.expire(deadline), None);
    assert!(door.is_empty() && door.deadline().is_none());
}

#[test]
fn a_storm_waits_for_itself() {
    let mut door = door(2000);
    for link in 0..1000 {
        enter(&mut door, 1, link, &login("acme", "secret"));
    }
    enter(&mut door, 2, 5000, &login("bolt", "secret"));
    enter(&mut door, 3, 6000, &login("acme", "secret"));
    let first: HashSet<u64> = (0..4).map(|_| judge_next(&mut door).unwrap().0).collect();
    assert!(first.contains(&5000), "another tenant is behind a storm");
    assert!(first.contains(&6000), "another source is behind a storm");
}

#[test]
fn when_full_the_oldest_of_the_fattest_source_of_the_fattest_claim_goes() {
    let mut door = door(20);
    enter(&mut door, 9, 100, &login("bolt", "secret"));
    for link in 0..4 {
        enter(&mut door, 1, link, &login("acme", "secret"));
    }
    for link in 4..19 {
        enter(&mut door, 2, link, &login("acme", "secret"));
    }
    let entry = door.enter(T0, peer(9), 101);
    assert_eq!(entry.shed, Some(4));
    assert_eq!(door.len(), 20);
}

#[test]
fn one_that_was_shed_takes_nobody_with_him() {
    let mut door = door(2);
    let first = door.enter(T0, peer(1), 1);
    let second = door.enter(T0, peer(1), 2);
    let third = door.enter(T0, peer(1), 3);
    assert_eq!(third.shed, Some(1));
    door.leave(first.id);
    door.receive(first.id, &login("acme", "secret"));
    assert!(door.next_entrant().is_none());
    assert_eq!(door.len(), 2);
    door.receive(third.id, &login("acme", "secret"));
    assert!(matches!(
        judge_next(&mut door),
        Some((3, Verdict::Admit(_), _))
    ));
    door.leave(second.id);
    assert!(is_forgotten(&door));
}

#[test]
fn one_that_left_has_no_turn_and_leaves_no_trace() {
    let mut door = door(8);
    for round in 0..100 {
        let gone = enter(&mut door, 1, round, &login("acme", "secret"));
        door.leave(gone);
        enter(&mut door, 1, 1000 + round, &login("acme", "secret"));
        assert_eq!(judge_next(&mut door).unwrap().0, 1000 + round);
        assert!(door.next_entrant().is_none());
        assert!(!door.has_waiting());
    }
    assert!(is_forgotten(&door));
}

#[test]
fn a_revoked_credential_does_not_admit() {
    let mut door = door(8);
    enter(&mut door, 1, 1, &login("acme", "secret"));
    door.apply(Arc::new(Directory::default()));
    let (_, verdict, _) = judge_next(&mut door).unwrap();
    assert_eq!(verdict, Verdict::Stay);
}

#[test]
fn half_a_login_stands_with_its_tenant_and_is_shed_with_it() {
    let mut door = door(4);
    // Three that have sent a user name and wait; one of another tenant comes after them.
    for link in 1..=3 {
        enter(&mut door, 1, link, b"set auth 0 0 11\r\nacme se");
    }
    enter(&mut door, 4, 4, b"set bolt 0 0 6\r\nsec");
    assert!(!door.has_waiting(), "nobody has said something whole");
    let entry = door.enter(T0, peer(5), 5);
    assert_eq!(
        entry.shed,
        Some(1),
        "of those who have most here the oldest"
    );
    // What follows makes it whole, and the claim is not counted twice.
    let bolt = door.entrants.keys().nth(2).copied().unwrap();
    door.receive(bolt, b"ret\r\n");
    let (link, verdict, _) = judge_next(&mut door).unwrap();
    assert!(
        link == 4 && matches!(verdict, Verdict::Admit(_)),
        "{link} {verdict:?}"
    );
    for id in door.entrants.keys().copied().collect::<Vec<_>>() {
        door.leave(id);
    }
    assert!(is_forgotten(&door));
}
