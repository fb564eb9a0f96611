//! A node that is sent copies of what the others are asked, and then gets keys of its own: nobody reads
//! what came to it as a copy, and nobody notices anything.

use std::sync::Arc;
use std::time::Duration;

use base::fleet::{Claim, MemberId};
use fleet::gate::Copying;
use fleet::{Ring, SlotHasher, Weights};
use gateway::remote::FleetView;
use node::NodeFigures;
use node_proto::{Message, Request, wire};

use crate::client::Client;
use crate::view::view;
use crate::world::{TENANT, World};

const NODES: [MemberId; 4] = [MemberId(1), MemberId(2), MemberId(3), MemberId(4)];
const NEW: MemberId = MemberId(4);
const SEEDS: u64 = 40;
const STEPS: usize = 1000;

/// A planted fault: copies are taken for requests of the ring that is to come, to warm the node up.
pub(crate) struct WarmUp {
    hasher: SlotHasher,
    ring: Arc<Ring>,
}

impl WarmUp {
    /// The same bytes, which begin with a frame, with every copy as a request.
    pub(crate) fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let (mut out, mut rest) = (Vec::new(), bytes);
        while let Ok(Some((header, content, len))) = wire::split(rest) {
            match Message::decode(header, content) {
                Ok(Message::Copy(copy)) => {
                    let slot = self.hasher.tenant(copy.tenant).slot(copy.op.key());
                    let claim = Claim {
                        slot,
                        epoch: self.ring.holding(slot).epoch,
                        vouched: true,
                    };
                    Message::Request(Request { claim, ..copy }).encode(&mut out);
                }
                _ => out.extend_from_slice(&rest[..len]),
            }
            rest = &rest[len..];
        }
        out.extend_from_slice(rest);
        out
    }
}

/// The fleet without the new node's keys, and with them.
fn views() -> (FleetView, FleetView) {
    let all = view(&NODES, None);
    let with = |ring: &Ring, nodes: &[MemberId]| {
        let weights: Weights = nodes.iter().map(|id| (*id, 1)).collect();
        let next = ring.propose(&weights).unwrap().unwrap();
        Arc::new(next.commit().unwrap())
    };
    let mut before = all.clone();
    before.ring = with(&all.ring, &NODES[..3]);
    let mut after = before.clone();
    after.ring = with(&before.ring, &NODES);
    (before, after)
}

/// More than is usual, so that there is much to find.
fn all_copied() -> Copying {
    Copying {
        nodes: vec![NEW],
        part_ppm: 300_000,
    }
}

/// How requests to the new node fared, in its own eyes.
fn figures_of_new(world: &World) -> NodeFigures {
    world.machines[NEW.0 as usize - 1].node.figures()
}

/// A millisecond: copies are so many a second.
fn step(world: &mut World, client: &mut Client) {
    let until = world.now + Duration::from_millis(1);
    client.ask(world);
    while world.now < until {
        world.advance();
        client.check(world);
    }
}

/// Copies for a while, then keys.
fn run(seed: u64, is_rough: bool, planted: bool) -> Client {
    let (before, after) = views();
    let mut world = World::new(seed, NODES.len() as u32);
    world.learn(&before);
    if planted {
        world.planted = Some(WarmUp {
            hasher: before.hasher,
            ring: Arc::clone(&after.ring),
        });
    }
    let mut client = Client::new(seed);
    world.board.watch().copy(all_copied());
    let mut go = |world: &mut World, steps| {
        for _ in 0..steps {
            if is_rough {
                world.do_harm();
            }
            step(world, &mut client);
        }
    };
    go(&mut world, STEPS);
    assert_eq!(figures_of_new(&world).served > 0, planted);
    // The copies go on for a moment, as a gateway learns that later.
    world.learn(&after);
    go(&mut world, STEPS / 10);
    world.board.watch().copy(Copying::default());
    go(&mut world, STEPS);
    // One that was started anew has counted nothing yet.
    assert!(is_rough || figures_of_new(&world).served > 0, "it has keys");
    client
}

#[test]
fn what_came_as_a_copy_is_never_read() {
    let (mut hits, mut refused) = (0, 0);
    for seed in 0..SEEDS {
        let client = run(seed, true, false);
        let (hit, late) = client.counts();
        hits += hit;
        refused += late;
    }
    assert!(hits > 10_000 && refused > 1_000, "{hits} {refused}");
}

#[test]
fn copies_that_warm_a_node_up_are_found_out() {
    let found = (0..SEEDS).any(|seed| {
        let outcome = std::panic::catch_unwind(|| {
            run(seed, false, true);
        });
        outcome.is_err()
    });
    assert!(found, "nobody would notice");
}

#[test]
fn a_copy_counts_for_nobody() {
    let (before, _) = views();
    let mut world = World::new(1, NODES.len() as u32);
    world.learn(&before);
    world.is_swift = true;
    let mut client = Client::new(1);
    world.board.watch().copy(all_copied());
    // Figures come once a second.
    for _ in 0..3000 {
        step(&mut world, &mut client);
    }
    let of_new = figures_of_new(&world);
    assert!(of_new.copies > 500, "{of_new:?}");
    assert_eq!((of_new.served, of_new.refused, of_new.late), (0, 0, 0));
    let stats = world.board.of(TENANT);
    assert!(stats[&MemberId(1)].cmd_get > 100);
    assert_eq!((stats[&NEW].cmd_get, stats[&NEW].cmd_set), (0, 0));
    assert_eq!(stats[&NEW].curr_items, 0);
    let figures = world.remote_board.figures();
    assert!(figures.copies_answered > 500, "{figures:?}");
    assert_eq!((figures.late, figures.timed_out), (0, 0));
}

#[test]
fn the_judge_sees_copies_of_all_classes_that_are_asked() {
    let (before, _) = views();
    let mut world = World::new(2, NODES.len() as u32);
    world.learn(&before);
    let mut client = Client::new(2);
    world.board.watch().copy(all_copied());
    for _ in 0..STEPS {
        step(&mut world, &mut client);
    }
    let told = world.board.watch().take();
    let of_new = &told[&NEW];
    let asked: Vec<u32> = of_new.iter().map(|it| it.asked()).collect();
    assert!(
        asked[0] > 50 && asked[2] > 50,
        "reads and writes: {asked:?}"
    );
    // Values that were found are given to it first, so that it finds them too.
    assert!(of_new[0].bytes > 0, "{of_new:?}");
    let others = told.iter().filter(|(node, _)| **node != NEW);
    let real: u32 = others.flat_map(|(_, all)| all).map(|it| it.asked()).sum();
    let copied = f64::from(asked.iter().sum::<u32>());
    assert!(copied <= 0.3 * f64::from(real) + 4.0, "{asked:?} of {real}");
}
