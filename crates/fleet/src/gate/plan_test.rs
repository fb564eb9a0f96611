//! Tests that everybody meets everybody, and nobody two at once.

use std::collections::BTreeSet;

use super::*;

const CANDIDATE: MemberId = MemberId(100);

fn serving(count: u32) -> Vec<MemberId> {
    (1..=count).map(MemberId).collect()
}

#[test]
fn the_candidate_meets_every_node_once_and_each_is_in_one_pair_at_a_time() {
    for count in 0..40 {
        let plan = Plan::new(CANDIDATE, &serving(count));
        let mut met = BTreeSet::new();
        for round in &plan.rounds {
            let both = round.pairs.iter().flat_map(|(one, other)| [*one, *other]);
            let both: Vec<MemberId> = both.collect();
            let different: BTreeSet<MemberId> = both.iter().copied().collect();
            assert_eq!(different.len(), both.len(), "{count}: {round:?}");
            for (caller, called) in &round.pairs {
                assert_ne!(*caller, CANDIDATE, "it is called");
                if *called == CANDIDATE {
                    assert!(met.insert(*caller), "{count}: {caller:?} twice");
                }
            }
        }
        assert_eq!(met.into_iter().collect::<Vec<_>>(), serving(count));
    }
}

#[test]
fn every_node_meets_every_other_one_so_that_their_own_ways_are_known() {
    for count in 2..40 {
        let plan = Plan::new(CANDIDATE, &serving(count));
        let pairs = plan.rounds.iter().flat_map(|round| &round.pairs);
        let peers = pairs.filter(|(_, called)| *called != CANDIDATE);
        let peers: BTreeSet<(MemberId, MemberId)> = peers
            .map(|(one, other)| (*one.min(other), *one.max(other)))
            .collect();
        assert_eq!(peers.len() as u32, count * (count - 1) / 2, "{count}");
    }
}

#[test]
fn six_nodes_are_met_within_a_quarter_of_a_minute() {
    let plan = Plan::new(CANDIDATE, &serving(6));
    assert_eq!(plan.rounds.len(), 7);
    assert!(plan.length * 7 <= Duration::from_secs(16), "{plan:?}");
    let few = Plan::new(CANDIDATE, &serving(1));
    assert_eq!((few.rounds.len(), few.length), (1, ROUND_MAX));
}
