//! Requests go to the owner or nowhere.

use super::*;
use crate::testing::{ring, weights};

const MOVING: Route = Route::Nowhere(Why::Moving);

fn to(node: u32, epoch: u64) -> Route {
    Route::To {
        node: MemberId(node),
        epoch: Epoch(epoch),
    }
}

#[test]
fn without_a_ring_nothing_goes_anywhere() {
    let mut routes = Routes::default();
    let slot = Slot::new(0).unwrap();
    assert_eq!(routes.route(slot), Route::Nowhere(Why::NoOwner));
    routes.learn(&ring(&[0]));
    assert_eq!(routes.route(slot), Route::Nowhere(Why::NoOwner));
}

#[test]
fn who_has_a_slot_is_known_though_it_is_taken_out_and_not_while_it_moves() {
    let first = ring(&[1]);
    let announced = first.propose(&weights(&[1, 1])).unwrap().unwrap();
    let slot = announced.moving()[0].slot;
    let mut routes = Routes::new();
    assert_eq!(routes.holder(slot), None);
    routes.learn(&first);
    routes.eject(MemberId(1));
    assert_eq!(routes.route(slot), Route::Nowhere(Why::Ejected));
    assert_eq!(routes.holder(slot), Some((MemberId(1), Epoch(1))));
    routes.learn(&announced);
    assert_eq!(routes.holder(slot), None);
}

#[test]
fn a_slot_that_moves_goes_nowhere_in_between() {
    let first = ring(&[1]);
    let announced = first.propose(&weights(&[1, 1])).unwrap().unwrap();
    let made = announced.commit().unwrap();
    let (moves, stays) = (announced.moving()[0].slot, {
        let stays = |slot: &Slot| made.holding(*slot).epoch == Epoch(1);
        Slot::all().find(stays).unwrap()
    });
    let mut routes = Routes::new();
    routes.learn(&first);
    assert_eq!(
        (routes.route(moves), routes.route(stays)),
        (to(1, 1), to(1, 1))
    );
    routes.learn(&announced);
    assert_eq!(
        (routes.route(moves), routes.route(stays)),
        (MOVING, to(1, 1))
    );
    routes.learn(&first);
    assert_eq!(
        routes.route(moves),
        MOVING,
        "what is known is not forgotten"
    );
    routes.learn(&made);
    assert_eq!(
        (routes.route(moves), routes.route(stays)),
        (to(2, 2), to(1, 1))
    );
}

#[test]
fn a_reply_from_the_future_stops_the_slot_until_the_store_has_told() {
    let first = ring(&[1, 1]);
    let slot = Slot::new(5).unwrap();
    let mut routes = Routes::new();
    routes.learn(&first);
    assert!(!routes.observe(slot, Epoch(1)));
    assert!(
        !routes.observe(slot, Epoch(0)),
        "the node is the one that is behind"
    );
    assert!(routes.observe(slot, Epoch(2)));
    assert_eq!(routes.route(slot), MOVING);
    routes.learn(&first);
    assert_eq!(routes.route(slot), MOVING);
    routes.learn(&first.restored(Epoch(2)));
    assert!(matches!(routes.route(slot), Route::To { .. }));
}

#[test]
fn an_ejection_of_ones_own_reroutes_nothing_and_outlasts_new_rings() {
    let first = ring(&[1, 1]);
    let mut routes = Routes::new();
    routes.learn(&first);
    routes.eject(MemberId(2));
    let check = |routes: &Routes, ring: &Ring| {
        for slot in Slot::all() {
            let held = ring.holding(slot);
            let expected = match held.owner.unwrap() {
                MemberId(2) => Route::Nowhere(Why::Ejected),
                MemberId(id) => to(id, held.epoch.0),
            };
            assert_eq!(routes.route(slot), expected);
        }
    };
    check(&routes, &first);
    let second = first.propose(&weights(&[1, 2, 1])).unwrap().unwrap();
    let second = second.commit().unwrap();
    routes.learn(&second);
    check(&routes, &second);
    assert_eq!(routes.ejected().collect::<Vec<_>>(), [MemberId(2)]);
    routes.readmit(MemberId(2));
    let back = Slot::all().filter(|slot| routes.route(*slot) == Route::Nowhere(Why::Ejected));
    assert_eq!(back.count(), 0);
}

#[test]
fn a_node_that_gets_more_of_its_keys_gets_those_that_it_had_and_others() {
    let ring = ring(&[1, 1, 1]);
    let mut routes = Routes::new();
    routes.learn(&ring);
    let mut before = Vec::new();
    for share in [0, 10, 50, 250, 500, 1000] {
        routes.limit(&BTreeMap::from([(MemberId(2), share)]));
        let is_its = |slot: &Slot| {
            matches!(
                routes.route(*slot),
                Route::To {
                    node: MemberId(2),
                    ..
                }
            )
        };
        let now: Vec<Slot> = Slot::all().filter(is_its).collect();
        assert!(before.iter().all(|slot| now.contains(slot)));
        let expected = SLOT_COUNT as f64 / 3.0 * f64::from(share) / 1000.0;
        let off = (now.len() as f64 - expected).abs();
        assert!(off <= 6.0 + expected / 10.0, "{share}: {} slots", now.len());
        before = now;
    }
}
