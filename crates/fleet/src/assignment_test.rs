//! Shares are exact to a slot, moves no more than needed, over random fleets and their changes.

use base::rng::Rng;

use super::*;
use crate::ring::Ring;
use crate::testing::{changed, random_weights, ring, share, weights};

fn moved(from: &Ring, to: &Ring) -> Vec<(Option<MemberId>, Option<MemberId>)> {
    let owners = Slot::all().map(|slot| (from.holding(slot).owner, to.holding(slot).owner));
    owners.filter(|(old, new)| old != new).collect()
}

fn assert_fair(ring: &Ring, weights: &Weights) {
    for id in weights.keys() {
        let (count, share) = (ring.count(*id) as f64, share(weights, *id));
        assert!((count - share).abs() < 1.0, "{id} has {count}, not {share}");
    }
}

#[test]
fn shares_follow_weights_to_the_slot() {
    let ring = ring(&[100, 100, 50, 0]);
    let counts = [1, 2, 3, 4].map(|id| ring.count(MemberId(id)));
    assert_eq!(counts.iter().sum::<usize>(), SLOT_COUNT);
    assert_eq!(counts[3], 0);
    assert!((1638..=1639).contains(&counts[0]), "{counts:?}");
    assert!((819..=820).contains(&counts[2]), "{counts:?}");
}

#[test]
fn with_no_weight_nobody_owns_anything() {
    let ring = ring(&[10, 10]);
    let gone = changed(&ring, &weights(&[0, 0]));
    assert!(gone.owners().is_empty());
    assert!(gone.propose(&weights(&[0])).unwrap().is_none());
    assert!(gone.propose(&Weights::new()).unwrap().is_none());
}

#[test]
fn a_node_that_joins_or_leaves_moves_only_its_share() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut fleet = random_weights(&mut rng, 40);
        let before = changed(&Ring::empty(), &fleet);
        assert_fair(&before, &fleet);

        let new = MemberId(1000);
        fleet.insert(new, 1 + rng.below(100) as u32);
        let joined = changed(&before, &fleet);
        assert_fair(&joined, &fleet);
        let moves = moved(&before, &joined);
        let strays = moves.iter().filter(|(_, to)| *to != Some(new)).count();
        assert_eq!(strays, 0, "seed {seed}: moves between those that stay");
        assert!(
            moves.len() as f64 <= share(&fleet, new).ceil(),
            "seed {seed}"
        );

        fleet.remove(&new);
        let left = changed(&joined, &fleet);
        assert_fair(&left, &fleet);
        let moves = moved(&joined, &left);
        let strays = moves.iter().filter(|(from, _)| *from != Some(new)).count();
        assert_eq!(strays, 0, "seed {seed}: moves between those that stay");
    }
}

#[test]
fn no_change_of_weights_moves_more_than_shares_differ() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let old = random_weights(&mut rng, 12);
        let mut before = changed(&Ring::empty(), &old);
        for _ in 0..5 {
            let new = random_weights(&mut rng, 12);
            let after = changed(&before, &new);
            assert_fair(&after, &new);
            let gains = new.keys().map(|id| {
                let gain = share(&new, *id) - before.count(*id) as f64;
                gain.max(0.0).ceil()
            });
            let most = gains.sum::<f64>();
            let moves = moved(&before, &after).len() as f64;
            assert!(moves <= most, "seed {seed}: {moves} moves, not {most}");
            before = after;
        }
    }
}

#[test]
fn what_a_node_loses_goes_to_all_others_alike() {
    let before = ring(&[100; 9]);
    let mut fleet = weights(&[100; 9]);
    fleet.remove(&MemberId(4));
    let after = changed(&before, &fleet);
    for id in fleet.keys() {
        let gained = moved(&before, &after);
        let gained = gained.iter().filter(|(_, to)| *to == Some(*id)).count();
        assert!((56..=58).contains(&gained), "{id} gained {gained} of 455");
    }
}

#[test]
fn the_youngest_slots_move_first() {
    let first = ring(&[100]);
    let second = changed(&first, &weights(&[100, 100]));
    let third = changed(&second, &weights(&[100, 0]));
    // Node 1 has 2,048 slots of epoch 1 and as many of epoch 3: the latter are the cheap ones.
    let fourth = changed(&third, &weights(&[100, 30]));
    let lost = Slot::all().filter(|slot| fourth.holding(*slot).owner == Some(MemberId(2)));
    for slot in lost {
        assert_eq!(third.holding(slot).epoch, Epoch(3), "{slot}");
    }
}
