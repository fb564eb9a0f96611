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

/// Serves flows that get items at random times, in virtual time, over `length`; tells how much time
/// each got, and how long each item waited until its turn began.
fn serve_arrivals(
    queue: &mut FairQueue<Duration>,
    arrivals: &[(Duration, FlowId)],
    length: Duration,
    mut cost: impl FnMut(FlowId) -> Duration,
) -> HashMap<FlowId, (Duration, Vec<Duration>)> {
    let mut got: HashMap<_, (Duration, Vec<Duration>)> = HashMap::new();
    let mut arrivals = arrivals.iter().peekable();
    let mut now = Duration::ZERO;
    while now < length {
        while let Some((at, flow)) = arrivals.next_if(|(at, _)| *at <= now) {
            queue.push(*flow, *at).unwrap();
        }
        let Some((flow, arrived)) = queue.pop() else {
            match arrivals.peek() {
                Some((at, _)) => now = *at,
                None => break,
            }
            continue;
        };
        let took = cost(flow);
        let (time, waits) = got.entry(flow).or_default();
        *time += took;
        waits.push(now - arrived);
        now += took;
        queue.charge(took);
    }
    got
}

/// Random arrivals for one flow with this mean distance.
fn arrivals(
    rng: &mut Rng,
    flow: FlowId,
    mean: Duration,
    length: Duration,
) -> Vec<(Duration, FlowId)> {
    let mut at = Duration::ZERO;
    let mut all = Vec::new();
    while at < length {
        at += mean.mul_f64(-(1.0 - rng.unit_f64()).ln());
        all.push((at, flow));
    }
    all
}

#[test]
fn long_run_shares_are_within_5_percent_of_the_weights() {
    let length = Duration::from_secs(4);
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut queue = FairQueue::new();
        let flows: Vec<_> = (0..2 + rng.below(5))
            .map(|_| {
                (
                    queue.add_flow(),
                    10 + rng.below(1000) as u32,
                    5 + rng.below(60),
                )
            })
            .collect();
        let mut all = Vec::new();
        for &(flow, weight, mean_us) in &flows {
            queue.set_weight(flow, weight);
            // Each alone offers more than the machine can do.
            let mean = Duration::from_micros(mean_us).mul_f64(0.8);
            all.extend(arrivals(&mut rng, flow, mean, length));
        }
        all.sort_unstable();
        let mean_us: HashMap<_, _> = flows.iter().map(|(flow, _, us)| (*flow, *us)).collect();
        let got = serve_arrivals(&mut queue, &all, length, |flow| {
            Duration::from_micros(1 + rng.below(2 * mean_us[&flow] - 1))
        });
        let weights: u32 = flows.iter().map(|(_, weight, _)| weight).sum();
        for (flow, weight, _) in flows {
            let share = got[&flow].0.as_secs_f64() / length.as_secs_f64();
            let due = f64::from(weight) / f64::from(weights);
            assert!(
                (share / due - 1.0).abs() < 0.05,
                "seed {seed}: {share} for {due}"
            );
        }
    }
}

#[test]
fn a_flow_within_its_share_waits_for_one_turn_of_each_other_at_most() {
    let length = Duration::from_secs(1);
    let turn_max = Duration::from_micros(50);
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut queue = FairQueue::new();
        let others = 1 + rng.below(20) as u32;
        let mut all = Vec::new();
        for _ in 0..others {
            let flow = queue.add_flow();
            all.extend(arrivals(&mut rng, flow, turn_max / 2, length));
        }
        let victim = queue.add_flow();
        let weight = 50 + rng.below(400) as u32;
        queue.set_weight(victim, weight);
        // Turns of 10 us, spaced so that they take nine tenths of its share of the machine.
        let took = Duration::from_micros(10);
        let share = f64::from(weight) / f64::from(weight + 100 * others);
        let distance = took.div_f64(0.9 * share);
        let mut at = Duration::ZERO;
        while at < length {
            all.push((at, victim));
            at += distance;
        }
        all.sort_unstable();
        let got = serve_arrivals(&mut queue, &all, length, |flow| match flow == victim {
            true => took,
            false => Duration::from_micros(1 + rng.below(turn_max.as_micros() as u64)),
        });
        let longest = got[&victim].1.iter().max().unwrap();
        assert!(
            *longest <= turn_max * others + took,
            "seed {seed}: {longest:?}, {others} others"
        );
    }
}

#[test]
fn a_weight_changes_at_once() {
    let mut queue = FairQueue::new();
    let (one, two) = (queue.add_flow(), queue.add_flow());
    queue.push(one, 0).unwrap();
    queue.push(two, 0).unwrap();
    queue.set_weight(one, 300);
    let got = serve(&mut queue, 4000, |_| Duration::from_micros(20));
    let ratio = got[&one].as_secs_f64() / got[&two].as_secs_f64();
    assert!((ratio - 3.0).abs() < 0.01, "{ratio}");
    queue.set_weight(one, 50);
    let got = serve(&mut queue, 4000, |_| Duration::from_micros(20));
    let ratio = got[&one].as_secs_f64() / got[&two].as_secs_f64();
    assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    queue.set_weight(one, 0);
    serve(&mut queue, 10, |_| Duration::MAX / 100);
}

#[test]
fn a_held_flow_keeps_its_items_and_saves_nothing_up() {
    let mut queue = FairQueue::new();
    let (held, other) = (queue.add_flow(), queue.add_flow());
    queue.push(held, 1).unwrap();
    queue.push(other, 2).unwrap();
    queue.hold(held);
    queue.push(held, 3).unwrap();
    let got = serve(&mut queue, 100, |_| Duration::from_micros(20));
    assert!(!got.contains_key(&held));
    assert_eq!(queue.len(), 3);
    queue.release(held);
    queue.release(held);
    assert_eq!(queue.items(held).collect::<Vec<_>>(), [&1, &3]);
    let got = serve(&mut queue, 100, |_| Duration::from_micros(20));
    assert_eq!(got[&held], got[&other]);
    queue.hold(held);
    queue.hold(other);
    assert!(!queue.has_ready() && !queue.is_empty());
    assert_eq!(queue.pop(), None);
    assert_eq!(queue.remove_flow(held).len(), 2);
    queue.release(other);
    assert!(queue.has_ready());
    assert_eq!(queue.pop(), Some((other, 2)));
}

#[test]
fn a_flow_may_be_held_in_its_own_turn_and_take_the_turn_back() {
    let mut queue = FairQueue::new();
    let flow = queue.add_flow();
    (1..=3).for_each(|item| queue.push(flow, item).unwrap());
    assert_eq!(queue.pop(), Some((flow, 1)));
    queue.hold(flow);
    queue.put_back(1);
    assert!(!queue.has_ready());
    assert_eq!(queue.len(), 3);
    queue.bring_to_front(flow, 2);
    queue.bring_to_front(flow, 7);
    queue.release(flow);
    queue.push_front(flow, 4).unwrap();
    let order: Vec<_> = std::iter::from_fn(|| queue.pop().map(|(_, item)| item)).collect();
    assert_eq!(order, [4, 3, 1, 2]);
    assert!(queue.is_empty() && !queue.has_ready());
}

#[test]
fn entries_of_flows_that_are_gone_give_no_turns() {
    let mut queue = FairQueue::new();
    let gone = queue.add_flow();
    queue.push(gone, 1).unwrap();
    queue.remove_flow(gone);
    let next = queue.add_flow();
    assert_eq!(next, gone, "its place is used again");
    assert_eq!(queue.pop(), None);
    queue.push(next, 2).unwrap();
    queue.hold(next);
    queue.release(next);
    assert_eq!(queue.pop(), Some((next, 2)));
    assert_eq!(queue.pop(), None);
}

#[test]
fn what_was_charged_ahead_is_put_right() {
    let mut queue = FairQueue::new();
    let (dear, cheap) = (queue.add_flow(), queue.add_flow());
    for item in 0..4 {
        queue.push(dear, item).unwrap();
        queue.push(cheap, item).unwrap();
    }
    let guess = Duration::from_micros(10);
    for _ in 0..2 {
        queue.pop().unwrap();
        queue.charge(guess);
    }
    // One turn took four times what it was charged for, so that the other has the next three.
    queue.correct(dear, guess, guess * 4);
    queue.correct(cheap, guess, guess);
    for _ in 0..3 {
        assert_eq!(queue.pop().map(|(flow, _)| flow), Some(cheap));
        queue.charge(guess);
    }
    assert_eq!(queue.pop().map(|(flow, _)| flow), Some(dear));
}

#[test]
fn a_crowd_s_room_is_given_back_and_its_order_kept() {
    let mut queue = FairQueue::new();
    let flow = queue.add_flow();
    (0..10_000).for_each(|item| queue.push(flow, item).unwrap());
    queue.give_back();
    let room = |queue: &FairQueue<u32>| queue.flows[flow.0 as usize].items.capacity();
    assert!(room(&queue) >= 10_000, "all of it is needed");
    for item in 0..9_990 {
        assert_eq!(queue.pop(), Some((flow, item)));
    }
    (0..10).for_each(|_| queue.give_back());
    assert!(room(&queue) <= 64, "{} items", room(&queue));
    for item in 9_990..10_000 {
        assert_eq!(queue.pop(), Some((flow, item)));
    }
}
