//! Who must know of a change before it is made.

use super::*;
use crate::testing::{ring, weights};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn heard(nodes: &[(u32, u64)], gateways: &[(u32, u64)]) -> Heard {
    let map = |of: &[(u32, u64)]| {
        let pairs = of.iter().map(|(id, epoch)| (MemberId(*id), Epoch(*epoch)));
        pairs.collect()
    };
    Heard {
        nodes: map(nodes),
        gateways: map(gateways),
    }
}

#[test]
fn those_asked_and_those_told_always_overlap() {
    for nodes in 1..=300 {
        let (asked, told) = (evidence_quorum(nodes), change_quorum(nodes));
        assert!(asked + told > nodes && asked <= nodes && told <= nodes);
        assert!(
            told <= nodes / 3 + 1,
            "a third of {nodes} is enough to go on"
        );
    }
    assert_eq!((evidence_quorum(4), change_quorum(4)), (3, 2));
    assert_eq!((evidence_quorum(6), change_quorum(6)), (4, 3));
    assert_eq!(change_quorum(0), 0);
}

#[test]
fn a_change_waits_for_its_quorum_however_long() {
    // Nodes 1 to 4, and 4 is to go: version 1, announced 2.
    let ring = ring(&[1; 4]).propose(&weights(&[1; 3])).unwrap().unwrap();
    let gateways = [(11, 2), (12, 2)];
    let one = heard(&[(1, 2), (2, 1)], &gateways);
    let quorum = Readiness::Quorum { have: 1, need: 2 };
    let mut patience = Patience::default();
    for at in [NOW, NOW + Duration::from_secs(3600)] {
        assert_eq!(patience.ready(&ring, &one, at), quorum);
    }
    // A newcomer's word is none: it owns nothing, so nobody would ask it.
    let newcomer = heard(&[(1, 2), (9, 2)], &gateways);
    assert_eq!(patience.ready(&ring, &newcomer, NOW), quorum);
    let two = heard(&[(1, 2), (2, 2)], &gateways);
    assert_eq!(patience.ready(&ring, &two, NOW), Readiness::Ready);
}

#[test]
fn a_slot_moves_at_once_when_its_owner_lets_go_or_nobody_asks_it() {
    let ring = ring(&[1; 4]).propose(&weights(&[1; 3])).unwrap().unwrap();
    let let_go = heard(&[(1, 2), (4, 2)], &[(11, 0), (12, 1)]);
    assert_eq!(
        Patience::default().ready(&ring, &let_go, NOW),
        Readiness::Ready
    );
    let dead = heard(&[(1, 2), (2, 2)], &[(11, 2), (12, 2)]);
    assert_eq!(
        Patience::default().ready(&ring, &dead, NOW),
        Readiness::Ready
    );
    let both = heard(&[(1, 2), (2, 2)], &[(11, 2), (12, 1)]);
    let silent = Readiness::Silence(vec![MemberId(4), MemberId(12)]);
    let mut patience = Patience::default();
    assert_eq!(patience.ready(&ring, &both, NOW), silent);
    let nearly = NOW + GRACE - Duration::from_millis(1);
    assert_eq!(patience.ready(&ring, &both, nearly), silent);
    assert_eq!(patience.ready(&ring, &both, NOW + GRACE), Readiness::Ready);
}

/// Until the quorum is there, nodes that do not know assure others that nothing has changed.
#[test]
fn grace_begins_with_the_quorum_and_anew_with_each_change() {
    let ring = ring(&[1; 4]).propose(&weights(&[1; 3])).unwrap().unwrap();
    let mut patience = Patience::default();
    let few = heard(&[(1, 2)], &[(11, 0)]);
    patience.ready(&ring, &few, NOW);
    let both = heard(&[(1, 2), (2, 2)], &[(11, 0)]);
    let silent = Readiness::Silence(vec![MemberId(4), MemberId(11)]);
    assert_eq!(patience.ready(&ring, &both, NOW + GRACE), silent);
    assert_eq!(
        patience.ready(&ring, &both, NOW + GRACE * 2),
        Readiness::Ready
    );
    let next = ring.commit().unwrap().propose(&weights(&[1; 2])).unwrap();
    let both = heard(&[(1, 3), (2, 3)], &[(11, 0)]);
    let silent = Readiness::Silence(vec![MemberId(3), MemberId(11)]);
    assert_eq!(
        patience.ready(&next.unwrap(), &both, NOW + GRACE * 3),
        silent
    );
}

#[test]
fn the_first_ring_waits_for_nobody() {
    let ring = Ring::empty().propose(&weights(&[1; 4])).unwrap().unwrap();
    let nobody = heard(&[], &[(11, 0)]);
    assert_eq!(
        Patience::default().ready(&ring, &nobody, NOW),
        Readiness::Ready
    );
}
