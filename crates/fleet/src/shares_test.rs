//! Shares follow the load, and together never exceed the limit and a tenth, whoever hears late, makes
//! the steps, or is silent.

use base::rng::Rng;

use super::*;

const LIMIT: u64 = 10_000;
const TENANT: TenantId = TenantId(7);

/// A gateway that goes by what it last saw, and says what its clients use.
struct Gateway {
    id: MemberId,
    seen: Shares,
    demand: u64,
}

impl Gateway {
    fn may_use(&self, count: usize) -> (u64, u64) {
        self.seen.of(TENANT, 0, self.id, LIMIT, count)
    }

    fn says(&self, count: usize) -> Use {
        let (amount, serial) = self.may_use(count);
        let used = Used {
            amount: amount.min(self.demand),
            serial,
        };
        Use(BTreeMap::from([(
            TENANT.0,
            [used, Used::default(), Used::default()],
        )]))
    }
}

struct Fleet {
    shares: Shares,
    uses: BTreeMap<MemberId, Use>,
    gateways: Vec<Gateway>,
}

impl Fleet {
    fn new(demands: &[u64]) -> Self {
        let gateways = (1..).zip(demands).map(|(id, demand)| Gateway {
            id: MemberId(id),
            seen: Shares::default(),
            demand: *demand,
        });
        Self {
            shares: Shares::default(),
            uses: BTreeMap::new(),
            gateways: gateways.collect(),
        }
    }

    fn wanted(&self) -> BTreeMap<TenantId, Wanted> {
        let wanted = Wanted {
            limits: [Some(LIMIT), None, None],
            gateways: self.gateways.iter().map(|it| it.id).collect(),
        };
        BTreeMap::from([(TENANT, wanted)])
    }

    fn step(&mut self) {
        self.shares = self
            .shares
            .next(&self.uses, &self.wanted(), |_| Presence::Here);
    }

    fn see(&mut self, at: usize) {
        self.gateways[at].seen = self.shares.clone();
    }

    fn say(&mut self, at: usize) {
        let said = self.gateways[at].says(self.gateways.len());
        self.uses.insert(self.gateways[at].id, said);
    }

    fn rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
            for at in 0..self.gateways.len() {
                self.see(at);
                self.say(at);
            }
        }
    }

    fn allowed(&self) -> Vec<u64> {
        let count = self.gateways.len();
        self.gateways.iter().map(|it| it.may_use(count).0).collect()
    }
}

#[test]
fn whoever_has_all_the_load_gets_nearly_all_of_the_rate() {
    let mut fleet = Fleet::new(&[100 * LIMIT, 0]);
    assert_eq!(fleet.allowed(), [LIMIT / 2, LIMIT / 2]);
    fleet.rounds(8);
    assert!(
        fleet.allowed()[0] >= LIMIT * 95 / 100,
        "{:?}",
        fleet.allowed()
    );
    // It shifts to the other, which has had next to nothing.
    (fleet.gateways[0].demand, fleet.gateways[1].demand) = (0, 100 * LIMIT);
    fleet.rounds(12);
    assert!(
        fleet.allowed()[1] >= LIMIT * 95 / 100,
        "{:?}",
        fleet.allowed()
    );
}

#[test]
fn sums_stay_within_a_tenth_above_the_limit_over_random_histories() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let count = 2 + rng.below(3) as usize;
        let mut fleet = Fleet::new(&vec![0; count]);
        for turn in 0..200 {
            let at = rng.below(count as u64) as usize;
            match rng.below(8) {
                0 => fleet.gateways[at].demand = rng.below(2 * LIMIT),
                1..=3 => fleet.step(),
                4 | 5 => fleet.see(at),
                _ => fleet.say(at),
            }
            let sum: u64 = fleet.allowed().iter().sum();
            let most = LIMIT + LIMIT / 10 + count as u64;
            assert!(
                sum <= most,
                "seed {seed}, turn {turn}: {:?}",
                fleet.allowed()
            );
        }
    }
}

#[test]
fn one_that_is_silent_is_left_an_even_part_and_one_that_has_ended_nothing() {
    let mut fleet = Fleet::new(&[LIMIT, 100 * LIMIT]);
    fleet.gateways[0].demand = 0;
    fleet.rounds(8);
    assert!(fleet.allowed()[1] >= LIMIT * 95 / 100);
    fleet.gateways[0].demand = LIMIT;
    for (presence, least, most) in [
        (Presence::Silent, LIMIT * 45 / 100, LIMIT * 60 / 100),
        (Presence::Gone, LIMIT * 95 / 100, LIMIT),
    ] {
        for _ in 0..8 {
            let of = |id| {
                if id == MemberId(2) {
                    presence
                } else {
                    Presence::Here
                }
            };
            fleet.shares = fleet.shares.next(&fleet.uses, &fleet.wanted(), of);
            fleet.see(0);
            fleet.say(0);
        }
        let allowed = fleet.allowed()[0];
        assert!((least..=most).contains(&allowed), "{presence:?}: {allowed}");
    }
    // It is back, and gets its part again.
    fleet.rounds(12);
    let allowed = fleet.allowed();
    assert!(allowed[1] > LIMIT / 3, "{allowed:?}");
}

#[test]
fn one_that_comes_begins_with_next_to_nothing() {
    let mut fleet = Fleet::new(&[LIMIT, LIMIT]);
    fleet.rounds(4);
    fleet.gateways.push(Gateway {
        id: MemberId(3),
        seen: fleet.shares.clone(),
        demand: LIMIT,
    });
    assert_eq!(fleet.allowed()[2], 1);
    fleet.rounds(12);
    let allowed = fleet.allowed();
    assert!(allowed.iter().all(|it| *it > LIMIT / 4), "{allowed:?}");
    assert!(allowed.iter().sum::<u64>() <= LIMIT + LIMIT / 10 + 3);
}

#[test]
fn a_limit_that_is_cut_holds_at_once_and_one_that_is_gone_is_forgotten() {
    let mut fleet = Fleet::new(&[LIMIT, 0]);
    fleet.rounds(8);
    let (amount, _) = fleet.shares.of(TENANT, 0, MemberId(1), 100, 2);
    assert_eq!(amount, 100);
    assert_eq!(fleet.shares.of(TENANT, 1, MemberId(1), 100, 2), (50, 0));
    let none = BTreeMap::from([(TENANT, Wanted::default())]);
    let next = fleet.shares.next(&fleet.uses, &none, |_| Presence::Here);
    assert_eq!(next, Shares::default());
}
