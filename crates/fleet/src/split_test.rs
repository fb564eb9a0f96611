//! Sums stay within the limit and a tenth whatever is lost or late, and shares go where the use is.

use base::rng::Rng;

use super::*;

const LIMIT: u64 = 100_000;

/// Members that apply the newest grant they have heard of, and use as much of it as they want.
#[derive(Default)]
struct Members(BTreeMap<MemberId, (Grant, u64)>);

impl Members {
    fn new(wants: &[u64]) -> Self {
        let none = Grant {
            serial: 0,
            amount: 0,
        };
        let members = (1..)
            .map(MemberId)
            .zip(wants.iter().map(|want| (none, *want)));
        Self(members.collect())
    }

    fn hear(&mut self, id: MemberId, grant: Grant) {
        if let Some((applied, _)) = self.0.get_mut(&id)
            && grant.serial > applied.serial
        {
            *applied = grant;
        }
    }

    fn used(&self) -> u64 {
        self.0
            .values()
            .map(|(grant, want)| grant.amount.min(*want))
            .sum()
    }

    fn allowed(&self) -> u64 {
        self.0.values().map(|(grant, _)| grant.amount).sum()
    }

    /// Everybody hears and reports, so many times.
    fn rounds(&mut self, split: &mut Split, count: usize) {
        for _ in 0..count {
            for (id, grant) in split.rebalance() {
                self.hear(id, grant);
            }
            for (id, (grant, want)) in &self.0 {
                split.report(*id, grant.amount.min(*want), grant.serial);
            }
        }
    }

    fn amounts(&self) -> Vec<u64> {
        self.0.values().map(|(grant, _)| grant.amount).collect()
    }
}

fn split(members: &Members) -> Split {
    let mut split = Split::new(LIMIT);
    members.0.keys().for_each(|id| split.join(*id));
    split
}

#[test]
fn the_sum_stays_within_a_tenth_whatever_is_lost_or_late() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut members = Members::new(&[0; 5]);
        let mut split = split(&members);
        let mut next_id = 100;
        let mut under_way: Vec<(MemberId, Grant)> = Vec::new();
        for _ in 0..400 {
            match rng.below(10) {
                0..=3 => under_way.extend(split.rebalance()),
                4..=5 if !under_way.is_empty() => {
                    // In any order, perhaps never.
                    let at = rng.below(under_way.len() as u64) as usize;
                    let (id, grant) = under_way.swap_remove(at);
                    if rng.below(5) > 0 {
                        members.hear(id, grant);
                    }
                }
                6..=7 => {
                    let at = rng.below(members.0.len() as u64) as usize;
                    let (id, (grant, want)) = members.0.iter().nth(at).unwrap();
                    split.report(*id, grant.amount.min(*want), grant.serial);
                }
                8 => {
                    let at = rng.below(members.0.len() as u64) as usize;
                    members.0.values_mut().nth(at).unwrap().1 = rng.below(2 * LIMIT);
                }
                _ if rng.below(4) == 0 => {
                    next_id += 1;
                    split.join(MemberId(next_id));
                    let begun = Members::new(&[LIMIT]).0.remove(&MemberId(1)).unwrap();
                    members.0.insert(MemberId(next_id), begun);
                }
                _ if members.0.len() > 2 && rng.below(4) == 0 => {
                    let (id, _) = members.0.pop_first().unwrap();
                    split.leave(id);
                }
                _ => {}
            }
            assert!(members.allowed() <= LIMIT + LIMIT / 10, "seed {seed}");
            assert!(split.outstanding() <= split.ceiling(), "seed {seed}");
        }
    }
}

#[test]
fn one_that_uses_all_gets_nearly_all() {
    let mut members = Members::new(&[10 * LIMIT, 0, 0, 0]);
    let mut split = split(&members);
    members.rounds(&mut split, 12);
    let amounts = members.amounts();
    assert!(amounts[0] >= LIMIT * 9 / 10, "{amounts:?}");
    assert!(
        amounts[1] >= LIMIT / 50,
        "the idle can begin at once: {amounts:?}"
    );
}

#[test]
fn equal_use_gets_equal_shares_after_any_beginning() {
    let mut members = Members::new(&[10 * LIMIT, 0, 0]);
    let mut split = split(&members);
    members.rounds(&mut split, 12);
    for (_, want) in members.0.values_mut() {
        *want = 10 * LIMIT;
    }
    members.rounds(&mut split, 40);
    let amounts = members.amounts();
    assert!(members.used() >= LIMIT * 9 / 10, "{amounts:?}");
    let (least, most) = (amounts.iter().min().unwrap(), amounts.iter().max().unwrap());
    assert!(most - least < LIMIT / 4, "{amounts:?}");
}

#[test]
fn what_everybody_wants_in_all_is_used_where_it_fits() {
    let mut members = Members::new(&[LIMIT / 2, LIMIT / 4, LIMIT / 10]);
    let mut split = split(&members);
    members.rounds(&mut split, 30);
    let wanted = LIMIT / 2 + LIMIT / 4 + LIMIT / 10;
    assert!(
        members.used() >= wanted * 95 / 100,
        "{:?}",
        members.amounts()
    );
}

#[test]
fn what_a_silent_member_has_nobody_else_gets() {
    let mut members = Members::new(&[10 * LIMIT, 0]);
    let mut split = split(&members);
    members.rounds(&mut split, 12);
    let had = members.amounts()[0];
    // The first is cut off; the second wants it all.
    members.0.remove(&MemberId(1));
    members
        .0
        .insert(MemberId(2), (members.0[&MemberId(2)].0, 10 * LIMIT));
    members.rounds(&mut split, 40);
    assert!(members.amounts()[0] + had <= LIMIT + LIMIT / 10);
    // Ended for certain, it leaves all to the other.
    split.leave(MemberId(1));
    members.rounds(&mut split, 40);
    assert!(members.amounts()[0] >= LIMIT * 9 / 10);
}

#[test]
fn a_lower_limit_holds_once_everybody_has_heard() {
    let mut members = Members::new(&[10 * LIMIT, 10 * LIMIT]);
    let mut split = split(&members);
    members.rounds(&mut split, 12);
    split.set_limit(LIMIT / 10);
    members.rounds(&mut split, 3);
    assert!(members.allowed() <= LIMIT / 10 + LIMIT / 100);
    split.set_limit(0);
    members.rounds(&mut split, 3);
    assert_eq!(members.allowed(), 0);
}

#[test]
fn what_all_want_is_divided_by_weight_and_nobody_without_any_gets_a_part() {
    let mut members = Members::new(&[LIMIT; 4]);
    let mut split = split(&members);
    for (id, weight) in (1..).zip([100, 200, 700, 0]) {
        split.weigh(MemberId(id), weight);
    }
    members.rounds(&mut split, 50);
    let amounts = members.amounts();
    for (amount, weight) in amounts.iter().zip([1, 2, 7, 0]) {
        let due = LIMIT / 10 * weight;
        assert!((due..=due + due / 10).contains(amount), "{amounts:?}");
    }
    assert!(members.allowed() <= LIMIT + LIMIT / 10);
}

#[test]
fn what_the_heavy_do_not_want_the_light_get() {
    let mut members = Members::new(&[LIMIT, LIMIT / 10]);
    let mut split = split(&members);
    split.weigh(MemberId(1), 1);
    split.weigh(MemberId(2), 9);
    members.rounds(&mut split, 50);
    let amounts = members.amounts();
    assert!(amounts[0] > LIMIT * 8 / 10, "{amounts:?}");
    assert!(members.allowed() <= LIMIT + LIMIT / 10);
}
