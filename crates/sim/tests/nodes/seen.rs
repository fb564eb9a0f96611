//! What a judge is told of requests, and what becomes of a node that he takes out.

use base::fleet::MemberId;
use base::rng::Rng;
use fleet::judge::{Class, Tally};
use gateway::remote::Shares;

use crate::client::Client;
use crate::world::World;

fn run(world: &mut World, client: &mut Client, steps: usize) {
    for _ in 0..steps {
        client.step(world);
    }
}

/// All classes of a node's requests since the last time.
fn seen(world: &World, node: u32) -> Tally {
    let mut sum = Tally::default();
    let told = world.board.watch().take();
    for tally in told.get(&MemberId(node)).into_iter().flatten() {
        sum.absorb(tally);
    }
    sum
}

#[test]
fn every_request_is_told_of_once() {
    let mut world = World::new(3, 1);
    let mut client = Client::new(3);
    run(&mut world, &mut client, 2000);
    let calm = seen(&world, 1);
    assert!(calm.asked() > 100 && calm.whole.quantile_s(0.5).unwrap() < 0.1);
    let told = world.board.watch().take();
    assert!(told.is_empty(), "{told:?}");
    for _ in 0..3000 {
        world.do_harm();
        client.step(&mut world);
    }
    world.heal();
    for _ in 0..400 {
        world.advance();
        client.check(&mut world);
    }
    let harmed = seen(&world, 1);
    let (_, refused) = client.counts();
    assert!(refused > 0 && harmed.whole.unanswered() > 0);
    assert!(harmed.asked() > harmed.whole.unanswered());
}

#[test]
fn reads_and_writes_are_told_apart() {
    let mut world = World::new(4, 1);
    let mut client = Client::new(4);
    run(&mut world, &mut client, 2000);
    let told = world.board.watch().take();
    let of = |class: Class| told[&MemberId(1)][class.index()].asked();
    assert!(of(Class::Read) > 50 && of(Class::Write) > 50);
    assert_eq!(of(Class::LargeRead) + of(Class::LargeWrite), 0);
}

#[test]
fn a_node_that_is_taken_out_is_asked_nothing_and_nothing_stale_is_read_later() {
    let mut world = World::new(5, 3);
    let mut client = Client::new(5);
    run(&mut world, &mut client, 300);
    assert!(seen(&world, 2).asked() > 0);
    world.board.watch().limit(Shares::from([(MemberId(2), 0)]));
    run(&mut world, &mut client, 2000);
    world.board.watch().take();
    run(&mut world, &mut client, 1000);
    assert_eq!(seen(&world, 2), Tally::default());
    // The client itself checks that it reads nothing that it has replaced.
    world.board.watch().limit(Shares::new());
    run(&mut world, &mut client, 1000);
    assert!(seen(&world, 2).asked() > 0);
}

#[test]
fn a_node_that_is_out_for_a_while_brings_nothing_back_that_was_replaced_meanwhile() {
    let (mut hits, mut refused) = (0, 0);
    for seed in 0..40 {
        let mut world = World::new(seed, 3);
        let mut client = Client::new(seed);
        let mut rng = Rng::new(seed);
        for step in 0..3000 {
            if step % 200 == 0 {
                // Somebody is out at any time, while links break and what they carried is in doubt.
                let out = MemberId(1 + rng.below(3) as u32);
                world.board.watch().limit(Shares::from([(out, 0)]));
            }
            world.do_harm();
            client.step(&mut world);
        }
        let (hit, late) = client.counts();
        hits += hit;
        refused += late;
    }
    assert!(hits > 5_000 && refused > 1_000, "{hits} {refused}");
}
