//! Shares, delays and corner cases of the fair queue, in virtual time.

use std::collections::HashMap;
use std::time::Duration;

use base::rng::Rng;

use super::{FairQueue, FlowId};

/// Serves `queue` for `turns` turns in which every item comes back at once, each costing what
/// `cost` says, and tells how much time each flow got.
fn serve(
    queue: &mut FairQueue<u32>,
    turns: usize,
    mut cost: impl FnMut(FlowId) -> Duration,
) -> HashMap<FlowId, Duration> {
    let mut got = HashMap::new();
    for _ in 0..turns {
        let (flow, item) = queue.pop().expect("every item comes back");
        queue.push(flow, item).expect("the flow is there");
        let took = cost(flow);
        *got.entry(flow).or_default() += took;
        queue.charge(took);
    }
    got
}

#[test]
fn a_thousand_connections_get_no_more_than_ten() {
    let mut queue = FairQueue::new();
    let (many, few) = (queue.add_flow(), queue.add_flow());
    (0..1000).for_each(|item| queue.push(many, item).unwrap());
    (0..10).for_each(|item| queue.push(few, item).unwrap());
    let got = serve(&mut queue, 10_000, |_| Duration::from_micros(20));
    assert_eq!(got[&many], got[&few]);
}

#[test]
fn shares_are_equal_in_time_whatever_a_turn_costs() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut queue = FairQueue::new();
        let flows: Vec<_> = (0..5).map(|_| queue.add_flow()).collect();
        for &flow in &flows {
            (0..=rng.below(50)).for_each(|item| queue.push(flow, item as u32).unwrap());
        }
        let mean_us: HashMap<_, _> = flows.iter().map(|&f| (f, 1 + rng.below(100))).collect();
        let got = serve(&mut queue, 50_000, |flow| {
            Duration::from_micros(1 + rng.below(2 * mean_us[&flow]))
        });
        let most = got.values().max().unwrap().as_secs_f64();
        let least = got.values().min().unwrap().as_secs_f64();
        assert!(most / least < 1.05, "seed {seed}: {least} to {most}");
    }
}

#[test]
fn a_flow_that_was_idle_waits_for_one_turn_at_most() {
    let mut queue = FairQueue::new();
    let greedy: Vec<_> = (0..100).map(|_| queue.add_flow()).collect();
    let victim = queue.add_flow();
    greedy.iter().for_each(|&flow| queue.push(flow, 0).unwrap());
    serve(&mut queue, 1000, |_| Duration::from_micros(20));
    queue.push(victim, 7).unwrap();
    // Those served no more than it stand before it; of them there is at most the present round.
    let before = (0..).take_while(|_| {
        let (flow, item) = queue.pop().unwrap();
        queue.push(flow, item).unwrap();
        queue.charge(Duration::from_micros(20));
        flow != victim
    });
    assert!(before.count() <= greedy.len());
}

#[test]
fn idle_time_is_not_saved_up() {
    let mut queue = FairQueue::new();
    let (busy, sleeper) = (queue.add_flow(), queue.add_flow());
    queue.push(busy, 0).unwrap();
    serve(&mut queue, 1000, |_| Duration::from_micros(20));
    queue.push(sleeper, 0).unwrap();
    let got = serve(&mut queue, 1000, |_| Duration::from_micros(20));
    assert!(got[&busy] >= Duration::from_micros(20 * 499));
}

#[test]
fn time_taken_while_alone_is_not_held_against_a_flow() {
    let mut queue = FairQueue::new();
    let (early, late) = (queue.add_flow(), queue.add_flow());
    queue.push(early, 0).unwrap();
    serve(&mut queue, 1, |_| Duration::from_secs(10));
    queue.push(late, 0).unwrap();
    let got = serve(&mut queue, 1000, |_| Duration::from_millis(20));
    assert!(got[&late] > Duration::ZERO);
    assert!(got[&early] > Duration::from_secs(4));
}

#[test]
fn a_removed_flow_hands_back_its_items_and_is_gone() {
    let mut queue = FairQueue::new();
    let (kept, removed) = (queue.add_flow(), queue.add_flow());
    queue.push(removed, 1).unwrap();
    queue.push(removed, 2).unwrap();
    queue.push(kept, 3).unwrap();
    assert_eq!(queue.remove_flow(removed), [1, 2]);
    assert_eq!(queue.push(removed, 4), Err(4));
    assert_eq!(queue.len(), 1);
    assert_eq!(queue.pop(), Some((kept, 3)));
    assert!(queue.is_empty());
    assert_eq!(queue.pop(), None);
}

#[test]
fn a_flow_removed_during_its_turn_is_not_charged() {
    let mut queue = FairQueue::new();
    let flow = queue.add_flow();
    queue.push(flow, 1).unwrap();
    queue.pop().unwrap();
    assert!(queue.remove_flow(flow).is_empty());
    queue.charge(Duration::from_secs(1));
    assert!(queue.is_empty());
}
