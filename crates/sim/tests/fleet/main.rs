//! Random histories of a fleet: nothing stale is ever served, and the model would notice.
//!
//! `SIM_SEED=N` begins at another seed; a failure says which seed it was.
#![forbid(unsafe_code)]

use std::time::Duration;

use sim::fleet::{Bug, Figures, FleetRun, Violation, Weather};

/// The first seed of a suite.
fn seed() -> u64 {
    let given = std::env::var("SIM_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

fn add(sum: &mut Figures, one: Figures) {
    sum.hits += one.hits;
    sum.misses += one.misses;
    sum.stored += one.stored;
    sum.refused += one.refused;
    sum.ring_changes += one.ring_changes;
    sum.stale_while_cut_off += one.stale_while_cut_off;
    sum.served_at_the_end += one.served_at_the_end;
}

/// Runs `count` histories on both cores and prints what they found.
fn histories(first: u64, count: u64) -> Figures {
    let half = |start: u64| {
        let mut sum = Figures::default();
        for seed in (first + start..first + count).step_by(2) {
            match FleetRun::new(seed).run() {
                Ok(figures) => add(&mut sum, figures),
                Err(violation) => panic!("seed {seed}: {violation:?}"),
            }
        }
        sum
    };
    let mut sum = Figures::default();
    std::thread::scope(|scope| {
        let other = scope.spawn(move || half(1));
        add(&mut sum, half(0));
        match other.join() {
            Ok(figures) => add(&mut sum, figures),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    println!("seeds {first} to {}: {sum:?}", first + count - 1);
    sum
}

#[test]
fn nothing_stale_is_served() {
    let sum = histories(seed(), 1_000);
    // That the histories have something in them to go wrong.
    assert!(sum.hits > sum.misses / 4 && sum.stored > sum.refused);
    assert!(sum.ring_changes > 5_000);
    assert!(sum.stale_while_cut_off > 0, "the model never came near it");
}

#[test]
#[ignore = "takes half an hour: scripts/nightly.sh"]
fn nothing_stale_is_served_in_a_hundred_thousand_histories() {
    histories(seed(), 100_000);
}

#[test]
fn every_planted_bug_is_caught() {
    for bug in Bug::ALL {
        let caught = (0..400).find_map(|seed| {
            let bug = Some(bug);
            let run = FleetRun {
                bug,
                ..FleetRun::new(seed)
            };
            run.run().err().map(|violation| (seed, violation))
        });
        let (seed, violation) = caught.unwrap_or_else(|| panic!("{bug:?} goes unnoticed"));
        println!("{bug:?}: seed {seed}: {violation:?}");
        match bug {
            Bug::TokensRestart => assert!(matches!(violation, Violation::TokenTwice { .. })),
            _ => assert!(matches!(violation, Violation::Stale(_)), "{bug:?}"),
        }
    }
}

#[test]
fn a_store_that_is_gone_for_all_stops_nobody() {
    for seed in 0..10 {
        let run = FleetRun {
            weather: Weather::StoreDown,
            length: Duration::from_secs(600),
            ..FleetRun::new(seed)
        };
        let figures = run.run().unwrap();
        // One message in forty takes longer than a request may.
        assert!(
            figures.refused * 10 < figures.stored,
            "seed {seed}: {figures:?}"
        );
        assert_eq!(figures.ring_changes, 1);
    }
}

#[test]
fn a_seed_repeats_its_history() {
    assert_eq!(FleetRun::new(7).run(), FleetRun::new(7).run());
}
