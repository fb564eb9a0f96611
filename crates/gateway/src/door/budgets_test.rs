//! The budgets of the door: per source, in memory, and a tenant's connections.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base::{CredentialId, Rights, TenantId, Timestamp, TrafficLimits};

use super::{Door, DoorConfig, Passage, Verdict};
use crate::directory::{Credential, Directory, Tenant};
use crate::{Admitted, Figures, Peer};

const T0: Timestamp = Timestamp::from_secs(1_000_000);
const ACME: TenantId = TenantId(1);

fn config() -> DoorConfig {
    DoorConfig {
        connections_max: 1000,
        entrants_max: 1000,
        entrants_per_source_max: 4,
        connects_per_second_per_source_max: None,
        memory_max: 1 << 20,
        timeout: Duration::from_secs(5),
        protections: true,
        loop_index: 0,
    }
}

fn directory(traffic: TrafficLimits) -> Arc<Directory> {
    let tenant = Tenant {
        id: ACME,
        name: "acme".into(),
        item_size_max: 1 << 20,
        traffic,
    };
    let credential = Credential {
        id: CredentialId(1),
        tenant: ACME,
        rights: Rights::ALL,
        salt: [7; 16],
        password_sha256: Credential::hash_password(&[7; 16], b"secret"),
    };
    Arc::new(Directory::new([tenant], [("acme".to_string(), credential)]))
}

fn door(config: DoorConfig, traffic: TrafficLimits) -> (Door, Arc<Figures>) {
    let figures = Arc::new(Figures::new(1));
    let door = Door::new(config, directory(traffic), Arc::clone(&figures));
    (door, figures)
}

fn peer(source: u8) -> Peer {
    Peer::Ip(Ipv4Addr::new(127, 0, 0, source).into(), 4000)
}

fn login() -> &'static [u8] {
    b"set auth 0 0 11\r\nacme secret\r\n"
}

fn log_in(door: &mut Door, now: Timestamp, source: u8, link: u64) -> (Verdict, Vec<u8>) {
    let entry = door.enter(now, peer(source), link);
    door.receive(entry.id, login());
    let (id, _) = door.next_entrant().unwrap();
    let mut out = Vec::new();
    (door.judge(now, id, &mut out), out)
}

/// What a shard does when a session of the tenant ends.
fn end_one(figures: &Figures) {
    figures.tenant(ACME).of_loop(0).ended.add(1);
}

#[test]
fn of_a_stranger_that_has_too_many_here_the_oldest_goes() {
    let (mut door, _) = door(config(), TrafficLimits::default());
    for link in 0..4 {
        assert_eq!(door.enter(T0, peer(1), link).shed, None);
    }
    assert_eq!(door.enter(T0, peer(2), 10).shed, None);
    assert_eq!(door.enter(T0, peer(1), 4).shed, Some(0));
    assert_eq!(door.enter(T0, peer(1), 5).shed, Some(1));
}

#[test]
fn a_source_that_has_authenticated_may_have_any_number_here() {
    let config = DoorConfig {
        connects_per_second_per_source_max: Some(1),
        ..config()
    };
    let (mut door, _) = door(config, TrafficLimits::default());
    assert!(matches!(log_in(&mut door, T0, 1, 0).0, Verdict::Admit(_)));
    for link in 1..100 {
        assert_eq!(door.enter(T0, peer(1), link).shed, None);
    }
}

#[test]
fn a_stranger_that_is_too_fast_waits_behind_all_others() {
    let config = DoorConfig {
        entrants_per_source_max: 1000,
        connects_per_second_per_source_max: Some(2),
        ..config()
    };
    let (mut door, _) = door(config, TrafficLimits::default());
    for link in 0..10 {
        let entry = door.enter(T0, peer(1), link);
        door.receive(entry.id, login());
    }
    for source in 2..6 {
        let entry = door.enter(T0, peer(source), 100 + u64::from(source));
        door.receive(entry.id, login());
    }
    let order: Vec<u64> =
        std::iter::from_fn(|| door.next_entrant().map(|(_, link)| link)).collect();
    assert_eq!(order.len(), 14);
    let others_last = order.iter().rposition(|link| *link >= 100).unwrap();
    let behind_first = order
        .iter()
        .position(|link| (2..10).contains(link))
        .unwrap();
    assert!(others_last < behind_first, "{order:?}");
    assert!(!door.has_waiting());
}

#[test]
fn what_those_here_have_sent_is_bounded() {
    let config = DoorConfig {
        memory_max: 10_000,
        entrants_per_source_max: 1000,
        ..config()
    };
    let (mut door, _) = door(config, TrafficLimits::default());
    let quiet = door.enter(T0, peer(9), 1000);
    for link in 0..100 {
        let entry = door.enter(T0, peer(1), link);
        door.receive(entry.id, &[b'x'; 1000]);
        while let Some(shed) = door.shed_for_memory() {
            assert!(shed < link, "the newest is not the one to go");
        }
        assert!(door.memory_bytes <= 10_000);
    }
    assert!(door.input_len_left(quiet.id) > 0, "who sent nothing stays");
}

#[test]
fn a_tenant_with_all_its_connections_has_the_next_wait_until_one_ends() {
    let limits = TrafficLimits {
        connections: Some(2),
        ..TrafficLimits::default()
    };
    let (mut door, figures) = door(config(), limits);
    for link in 0..2 {
        assert!(matches!(
            log_in(&mut door, T0, 1, link).0,
            Verdict::Admit(_)
        ));
    }
    // What it is told waits with it: a client that is told that it is in would ask at once.
    assert_eq!(log_in(&mut door, T0, 1, 2), (Verdict::Stay, Vec::new()));
    assert_eq!(log_in(&mut door, T0, 2, 3), (Verdict::Stay, Vec::new()));
    let mut out = Vec::new();
    assert_eq!(door.next_admitted(T0, &mut out), None);
    end_one(&figures);
    let look = door.deadline().unwrap();
    assert!(look.since(T0) < Duration::from_millis(20));
    let (link, admitted) = door.next_admitted(look, &mut out).unwrap();
    assert_eq!(
        (link, admitted.tenant, out.as_slice()),
        (2, ACME, &b"STORED\r\n"[..])
    );
    assert_eq!(
        door.next_admitted(look + Duration::from_secs(1), &mut out),
        None
    );
    assert_eq!(door.len(), 1);
    let sum = figures.tenant(ACME).sum();
    assert_eq!((sum.connects_delayed, sum.connects_refused), (2, 0));
}

#[test]
fn one_that_waits_too_long_is_let_go_and_counted_and_gives_no_place_away() {
    let limits = TrafficLimits {
        connections: Some(1),
        ..TrafficLimits::default()
    };
    let (mut door, figures) = door(config(), limits);
    assert!(matches!(log_in(&mut door, T0, 1, 0).0, Verdict::Admit(_)));
    assert_eq!(log_in(&mut door, T0, 1, 1).0, Verdict::Stay);
    let end = T0 + Duration::from_secs(5);
    assert_eq!(door.expire(end), Some(1));
    assert_eq!(figures.tenant(ACME).sum().connects_refused, 1);
    end_one(&figures);
    let mut out = Vec::new();
    assert_eq!(door.next_admitted(end, &mut out), None);
    assert_eq!(log_in(&mut door, end, 1, 2).0, Verdict::Admit(admitted(1)));
}

#[test]
fn one_that_gives_up_waiting_is_counted_and_nobody_else_who_leaves() {
    let limits = TrafficLimits {
        connections: Some(1),
        ..TrafficLimits::default()
    };
    let (mut door, figures) = door(config(), limits);
    assert!(matches!(log_in(&mut door, T0, 1, 0).0, Verdict::Admit(_)));
    let silent = door.enter(T0, peer(1), 1);
    door.leave(silent.id);
    let waiting = door.enter(T0, peer(1), 2);
    door.receive(waiting.id, login());
    let (id, _) = door.next_entrant().unwrap();
    assert_eq!(door.judge(T0, id, &mut Vec::new()), Verdict::Stay);
    assert_eq!(figures.tenant(ACME).sum().connects_abandoned, 0);
    door.leave(id);
    let sum = figures.tenant(ACME).sum();
    assert_eq!((sum.connects_abandoned, sum.connects_refused), (1, 0));
}

fn admitted(source: u8) -> Admitted {
    Admitted {
        tenant: ACME,
        rights: Rights::ALL,
        credential: Some(CredentialId(1)),
        peer: peer(source),
        unparsed: Vec::new(),
    }
}

#[test]
fn connections_a_second_are_spread_out_and_not_refused() {
    let limits = TrafficLimits {
        connects_per_second: Some(10),
        ..TrafficLimits::default()
    };
    let config = DoorConfig {
        entrants_per_source_max: 1000,
        ..config()
    };
    let (mut door, _) = door(config, limits);
    let at_once = (0..30)
        .filter(|link| matches!(log_in(&mut door, T0, 1, *link).0, Verdict::Admit(_)))
        .count();
    assert_eq!(at_once, 10);
    let (mut now, mut let_in) = (T0, Vec::new());
    while now < T0 + Duration::from_secs(1) {
        now = now + Duration::from_millis(1);
        let mut out = Vec::new();
        let_in.extend(door.next_admitted(now, &mut out).map(|(link, _)| link));
    }
    assert!((9..=11).contains(&let_in.len()), "{let_in:?}");
    assert!(let_in.is_sorted(), "first come, first served");
}

#[test]
fn a_connection_of_a_bound_listener_waits_for_a_place_too() {
    let limits = TrafficLimits {
        connections: Some(1),
        ..TrafficLimits::default()
    };
    let (mut door, figures) = door(config(), limits);
    assert_eq!(door.pass(T0, &admitted(1)), Passage::In);
    assert_eq!(door.pass(T0, &admitted(1)), Passage::Wait);
    let entry = door.enter_judged(T0, admitted(1), 7);
    assert_eq!(door.input_len_left(entry.id), 0, "it is not listened to");
    end_one(&figures);
    let mut out = Vec::new();
    assert_eq!(door.next_admitted(T0, &mut out), Some((7, admitted(1))));
    assert!(out.is_empty() && door.is_empty() && door.memory_bytes == 0);
    door.lost(&admitted(1));
    assert_eq!(door.pass(T0, &admitted(1)), Passage::In);
}

#[test]
fn a_tenant_that_was_removed_is_left_to_who_takes_its_connections_in() {
    let limits = TrafficLimits {
        connections: Some(0),
        ..TrafficLimits::default()
    };
    let (mut door, _) = door(config(), limits);
    assert_eq!(log_in(&mut door, T0, 1, 1).0, Verdict::Stay);
    door.apply(Arc::new(Directory::default()));
    let mut out = Vec::new();
    assert_eq!(
        door.next_admitted(T0, &mut out).map(|(link, _)| link),
        Some(1)
    );
    assert_eq!(door.pass(T0, &admitted(1)), Passage::In);
}

#[test]
fn without_protections_nobody_is_told_apart() {
    let config = DoorConfig {
        protections: false,
        memory_max: 0,
        connects_per_second_per_source_max: Some(0),
        ..config()
    };
    let limits = TrafficLimits {
        connections: Some(0),
        ..TrafficLimits::default()
    };
    let (mut door, _) = door(config, limits);
    for link in 0..10 {
        let entry = door.enter(T0, peer(1), link);
        assert_eq!(entry.shed, None);
        door.receive(entry.id, login());
        assert_eq!(door.shed_for_memory(), None);
    }
    let entry = door.enter(T0, peer(2), 10);
    door.receive(entry.id, login());
    let order: Vec<u64> =
        std::iter::from_fn(|| door.next_entrant().map(|(_, link)| link)).collect();
    assert_eq!(order, (0..=10).collect::<Vec<_>>());
    assert!(matches!(log_in(&mut door, T0, 1, 11).0, Verdict::Admit(_)));
}
