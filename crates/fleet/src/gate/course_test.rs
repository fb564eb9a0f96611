//! Tests of the course of candidates: the way in, the falls back, and one at a time.

use base::rng::Rng;

use super::*;
use crate::membership::Event;

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
const A: MemberId = MemberId(1);
const B: MemberId = MemberId(2);

fn later(seconds: u64) -> Timestamp {
    T0 + Duration::from_secs(seconds)
}

fn of(nodes: impl IntoIterator<Item = (MemberId, Standing)>) -> BTreeMap<MemberId, Standing> {
    nodes.into_iter().collect()
}

#[test]
fn who_has_waited_longest_is_first_unless_an_operator_asks_for_another() {
    let nodes = of([(A, Standing::new(later(1))), (B, Standing::new(T0))]);
    let none = BTreeMap::new();
    assert_eq!(next(&nodes, &none, None, later(2)), Next::Test(B));
    assert_eq!(next(&nodes, &none, Some(A), later(2)), Next::Test(A));
    let serving = of([(A, Standing::founder(T0))]);
    assert_eq!(next(&serving, &none, Some(A), later(2)), Next::Nobody);
}

#[test]
fn who_was_refused_waits_longer_each_time() {
    let nodes = of([(A, Standing::new(T0))]);
    let mut attempts = Attempts::default();
    for wait in [60, 120, 240, 480, 960, 1920, 3600, 3600] {
        attempts = attempts.refused(T0);
        let known = BTreeMap::from([(A, attempts)]);
        let just_before = later(wait) - Duration::from_nanos(1);
        assert_eq!(next(&nodes, &known, None, just_before), Next::Nobody);
        assert_eq!(next(&nodes, &known, None, later(wait)), Next::Test(A));
        assert_eq!(next(&nodes, &known, Some(A), T0), Next::Test(A));
    }
}

#[test]
fn whatever_happens_one_candidate_is_on_its_way_at_a_time_and_none_skips_a_step() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut now = T0;
        let mut nodes = of((1..=5).map(|node| (MemberId(node), Standing::new(T0))));
        let mut attempts = BTreeMap::new();
        let mut served = 0;
        for _ in 0..400 {
            now = now + Duration::from_secs(1 + rng.below(15));
            let on_its_way = |it: &&Standing| matches!(it.state(), State::Shadow | State::Ramping);
            assert!(
                nodes.values().filter(on_its_way).count() <= 1,
                "seed {seed}"
            );
            let (node, event) = match next(&nodes, &attempts, None, now) {
                Next::Test(node) if rng.below(3) > 0 => (node, Event::Passed),
                Next::Test(node) => {
                    let before: Attempts = attempts.get(&node).copied().unwrap_or_default();
                    attempts.insert(node, before.refused(now));
                    continue;
                }
                Next::OnItsWay(node) if rng.below(8) == 0 => (node, Event::Suspected),
                Next::OnItsWay(node) => (node, Event::Held),
                Next::Nobody => continue,
            };
            let before = nodes[&node];
            let after = before.after(event, now).unwrap();
            let (was, is) = (before.share_of(1000), after.share_of(1000));
            assert!(is <= 10.max(was * 5), "seed {seed}: {was} then {is}");
            if event == Event::Suspected {
                assert_eq!(after.state(), State::Quarantined, "back to the gate");
            }
            served += u32::from(after.state() == State::Serving);
            nodes.insert(node, after);
        }
        assert!(served > 0, "seed {seed}: nobody ever serves");
    }
}
