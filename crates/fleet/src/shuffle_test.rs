//! Places are spread by capacity, rarely shared whole, and hardly move.

use super::*;

fn gateways(count: u32) -> Capacities {
    (1..=count).map(|id| (MemberId(id), 100)).collect()
}

fn places(count: usize, gateways: &Capacities) -> Vec<Vec<MemberId>> {
    let tenants = (1..=10_000).map(TenantId);
    tenants
        .map(|tenant| place(tenant, count, gateways))
        .collect()
}

fn sorted(mut places: Vec<MemberId>) -> Vec<MemberId> {
    places.sort_unstable();
    places
}

#[test]
fn a_tenant_has_as_many_as_it_asks_for_and_each_once() {
    for (count, there) in [(0, 5), (1, 5), (2, 5), (5, 5), (7, 5), (2, 0)] {
        for places in places(count, &gateways(there)).iter().take(200) {
            assert_eq!(places.len(), count.min(there as usize));
            let mut once = sorted(places.clone());
            once.dedup();
            assert_eq!(once.len(), places.len());
        }
    }
}

#[test]
fn tenants_spread_by_capacity() {
    let mut gateways = gateways(8);
    gateways.insert(MemberId(3), 200);
    gateways.insert(MemberId(5), 0);
    let mut firsts = BTreeMap::<MemberId, usize>::new();
    for places in places(2, &gateways) {
        *firsts.entry(places[0]).or_default() += 1;
    }
    assert_eq!(firsts.get(&MemberId(5)), None);
    // 10,000 tenants, eight parts: 1,250 each, and 2,500.
    for (id, count) in firsts {
        let expected = if id == MemberId(3) { 2500 } else { 1250 };
        assert!(count.abs_diff(expected) < 200, "{id}: {count}");
    }
}

/// With 2 of 10 gateways there are 45 pairs: a tenant shares both of its gateways with one in 45
/// others, one with 16 in 45, and none with the rest.
#[test]
fn few_tenants_share_all_of_their_gateways() {
    let places = places(2, &gateways(10));
    let mut shared = [0_usize; 3];
    for (at, one) in places.iter().enumerate().step_by(50) {
        for other in places.iter().skip(at + 1) {
            shared[one.iter().filter(|id| other.contains(id)).count()] += 1;
        }
    }
    let total = shared.iter().sum::<usize>() as f64;
    let parts = shared.map(|count| count as f64 / total);
    for (part, expected) in parts
        .into_iter()
        .zip([28.0 / 45.0, 16.0 / 45.0, 1.0 / 45.0])
    {
        assert!((part - expected).abs() < 0.02, "{parts:?}");
    }
}

#[test]
fn a_gateway_that_comes_or_goes_moves_only_its_own() {
    let (before, mut more) = (gateways(9), gateways(9));
    more.insert(MemberId(10), 100);
    let pairs = places(2, &before).into_iter().zip(places(2, &more));
    let mut moved = 0;
    for (old, new) in pairs {
        let gone = old.iter().filter(|id| !new.contains(id)).count();
        assert!(gone <= 1);
        assert_eq!(gone == 1, new.contains(&MemberId(10)));
        moved += gone;
    }
    assert!(
        (1_800..2_200).contains(&moved),
        "{moved} of 10,000, not a fifth"
    );
}

#[test]
fn a_tenant_moves_by_way_of_both() {
    let gateways = gateways(6);
    let tenant = TenantId(7);
    let present = place(tenant, 2, &gateways);
    let away = relocate(tenant, 2, &present, &present[..1], &gateways).unwrap();
    assert_eq!(away.leaves, present[..1]);
    assert_eq!(away.after.len(), 2);
    assert!(away.after.contains(&present[1]), "what may stay stays");
    assert_eq!(sorted(away.during.clone()), {
        sorted(away.after.iter().chain(&away.leaves).copied().collect())
    });
    let anywhere = relocate(tenant, 2, &present, &[], &gateways).unwrap();
    assert_eq!(sorted(anywhere.leaves), sorted(present.clone()));
    assert!(anywhere.after.iter().all(|id| !present.contains(id)));
}

#[test]
fn a_move_with_nowhere_to_go_is_none() {
    let two = gateways(2);
    let present = [MemberId(1), MemberId(2)];
    assert_eq!(relocate(TenantId(1), 2, &present, &present, &two), None);
    assert_eq!(relocate(TenantId(1), 2, &present, &[], &two), None);
    // One free gateway for two places: one of the old ones stays.
    let three = gateways(3);
    let moved = relocate(TenantId(1), 2, &present, &[], &three).unwrap();
    assert_eq!(moved.after, [MemberId(3), MemberId(1)]);
    assert_eq!(moved.leaves, [MemberId(2)]);
    // More is asked for than there is, and nobody returns to where it must not be.
    let moved = relocate(TenantId(1), 2, &present, &present, &three).unwrap();
    assert_eq!(moved.after, [MemberId(3)]);
}
