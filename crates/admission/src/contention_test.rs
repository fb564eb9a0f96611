//! Who has a loop to himself, over random turns.

use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;

use super::{Contention, Usage};

const MS: Duration = Duration::from_millis(1);

/// One flow's turns and those of others, by turns, until `end`: it takes `own` of each millisecond,
/// they take `others`.
fn run(
    contention: &mut Contention,
    flows: &mut [Usage; 2],
    now: &mut Timestamp,
    end: Timestamp,
    parts: [f64; 2],
) {
    while *now < end {
        *now = *now + MS;
        for (flow, part) in flows.iter_mut().zip(parts) {
            if part > 0.0 {
                contention.charge(*now, flow, MS.mul_f64(part));
            }
        }
    }
}

#[test]
fn alone_is_who_is_left_nearly_all_the_time() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let (mut contention, mut flows) = (Contention::default(), [Usage::default(); 2]);
        let mut now = Timestamp::from_secs(1_000) + MS * rng.below(1000) as u32;
        let others = rng.unit_f64() * 0.2;
        let end = now + Duration::from_millis(300 + rng.below(2000));
        run(
            &mut contention,
            &mut flows,
            &mut now,
            end,
            [1.0 - others, others],
        );
        match others {
            it if it > 0.055 => assert!(flows[0].contended_since().is_some(), "{others}"),
            it if it < 0.045 => assert!(flows[0].contended_since().is_none(), "{others}"),
            _ => {}
        }
    }
}

#[test]
fn who_takes_little_beside_one_who_takes_much_is_not_alone() {
    let (mut contention, mut flows) = (Contention::default(), [Usage::default(); 2]);
    let mut now = Timestamp::from_secs(7);
    let end = now + 500 * MS;
    run(&mut contention, &mut flows, &mut now, end, [0.9, 0.02]);
    assert!(flows[0].contended_since().is_none());
    assert!(flows[1].contended_since().is_some());
}

#[test]
fn it_is_known_since_when_others_want_the_loop_and_forgotten_when_they_have_gone() {
    let (mut contention, mut flows) = (Contention::default(), [Usage::default(); 2]);
    let begin = Timestamp::from_secs(50);
    let mut now = begin;
    run(
        &mut contention,
        &mut flows,
        &mut now,
        begin + 950 * MS,
        [1.0, 0.0],
    );
    assert_eq!(flows[0].contended_since(), None);
    run(
        &mut contention,
        &mut flows,
        &mut now,
        begin + 3000 * MS,
        [0.5, 0.5],
    );
    let since = flows[0].contended_since().unwrap();
    let after = since.since(begin + 950 * MS);
    assert!(after <= 30 * MS, "noticed after {after:?}");
    run(
        &mut contention,
        &mut flows,
        &mut now,
        begin + 3250 * MS,
        [1.0, 0.0],
    );
    assert_eq!(flows[0].contended_since(), None);
}

#[test]
fn a_long_silence_is_no_contention() {
    let (mut contention, mut flows) = (Contention::default(), [Usage::default(); 2]);
    let mut now = Timestamp::from_secs(50);
    let end = now + 300 * MS;
    run(&mut contention, &mut flows, &mut now, end, [0.5, 0.5]);
    assert!(flows[0].contended_since().is_some());
    contention.charge(now + Duration::from_secs(9), &mut flows[0], MS);
    assert_eq!(flows[0].contended_since(), None);
}
