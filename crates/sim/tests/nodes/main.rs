//! A gateway's connections to real nodes over a network that delays, stalls, parts and breaks.
#![forbid(unsafe_code)]

mod caches;
mod client;
mod copies;
mod hot;
mod machine;
mod seen;
mod unsure;
mod view;
mod world;

use client::Client;
use world::World;

/// Enough for each kind of fault to meet each kind of request many times.
const SEEDS: u64 = 200;
const STEPS: usize = 1500;

#[test]
fn nobody_reads_what_was_replaced_and_everybody_is_answered_in_time() {
    let (mut hits, mut refused) = (0, 0);
    for seed in 0..SEEDS {
        let mut world = World::new(seed, 3);
        let mut client = Client::new(seed);
        for _ in 0..STEPS {
            world.do_harm();
            client.step(&mut world);
        }
        world.heal();
        for _ in 0..400 {
            world.advance();
            client.check(&mut world);
        }
        client.check_all_answered();
        let (hit, late) = client.counts();
        hits += hit;
        refused += late;
    }
    // The test means something: much was found, and much went wrong.
    assert!(hits > 20_000, "{hits} hits");
    assert!(refused > 2_000, "{refused} refused");
}

#[test]
fn a_planted_fault_is_found() {
    // Without the rule that an earlier connection is served no more, what it still carried may be
    // done after what came later.
    let found = (0..SEEDS).any(|seed| {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed, 1);
            world.serves_earlier_connections = true;
            let mut client = Client::new(seed);
            for _ in 0..STEPS {
                world.do_harm();
                client.step(&mut world);
            }
        });
        outcome.is_err()
    });
    assert!(found, "nobody would notice");
}
