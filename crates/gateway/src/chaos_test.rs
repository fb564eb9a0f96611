//! Random clients under random limits: every request is answered once and in order, nobody is
//! forgotten, and nothing is left behind.

use std::collections::BTreeMap;
use std::time::Duration;

use base::TrafficLimits;
use base::rng::Rng;

use crate::virtual_loop::VirtualLoop;

const TENANTS: u64 = 3;

fn some_limits(rng: &mut Rng) -> TrafficLimits {
    let rate = |rng: &mut Rng, most: u64| (rng.below(3) == 0).then(|| 1 + rng.below(most));
    TrafficLimits {
        ops_per_second: rate(rng, 5000),
        bytes_in_per_second: rate(rng, 1 << 20),
        bytes_out_per_second: rate(rng, 1 << 20),
        burst: Duration::from_millis(rng.below(300)),
        weight: 1 + rng.below(1000) as u32,
        inflight_bytes: rate(rng, 100_000),
        max_delay: Duration::from_millis(rng.below(300)),
        ..TrafficLimits::default()
    }
}

fn some_directory(rng: &mut Rng) -> Vec<TrafficLimits> {
    (0..TENANTS).map(|_| some_limits(rng)).collect()
}

/// A request, and the last line of its answer, but for its outcome.
fn some_request(rng: &mut Rng) -> (String, &'static str) {
    let key = rng.below(5);
    let value = |rng: &mut Rng, most| "x".repeat(rng.below(most) as usize);
    let set = |value: String| format!("set k{key} 0 0 {}\r\n{value}\r\n", value.len());
    match rng.below(10) {
        0..4 => (format!("get k{key} k1\r\n"), "END"),
        4 => (format!("get{}\r\n", " k2".repeat(100)), "END"),
        5 | 6 => (set(value(rng, 1000)), "STORED"),
        7 if rng.below(10) == 0 => (set(value(rng, 300_000)), "STORED"),
        8 => ("version\r\n".to_owned(), "VERSION"),
        _ => (format!("delete k{key}\r\n"), "DELETED"),
    }
}

/// What of an answer says that its request was answered.
fn last_lines(answers: &str) -> Vec<&'static str> {
    let lines = answers.split("\r\n").filter_map(|line| match line {
        "END" => Some("END"),
        "STORED" | "NOT_STORED" => Some("STORED"),
        "DELETED" | "NOT_FOUND" => Some("DELETED"),
        line if line.starts_with("VERSION") => Some("VERSION"),
        _ => None,
    });
    lines.collect()
}

#[derive(Default)]
struct Client {
    asked: Vec<&'static str>,
    answers: String,
}

#[test]
fn everybody_is_answered_once_and_in_order_and_nothing_is_left() {
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let mut net = VirtualLoop::new(&some_directory(&mut rng));
        let mut clients: BTreeMap<u64, Client> = BTreeMap::new();
        for step in 0..800 {
            let chosen = rng.below(12);
            let is_there = clients.contains_key(&chosen);
            match rng.below(20) {
                _ if !is_there => {
                    net.connect(1 + (chosen % TENANTS) as u32, chosen);
                    clients.insert(chosen, Client::default());
                }
                0 if step % 3 == 0 => {
                    net.close(chosen);
                    clients.remove(&chosen);
                }
                1 => net.set_room(chosen, rng.below(5000) as usize),
                2 | 3 => net.set_room(chosen, usize::MAX),
                4 if step % 5 == 0 => {
                    let limits = some_directory(&mut rng);
                    net.apply(&limits);
                }
                5 => {
                    let session = net.session(chosen);
                    if net.shard.is_paused(session) {
                        net.shard.hurry(net.now, session);
                    }
                }
                _ => {
                    let client = clients.get_mut(&chosen).unwrap();
                    for _ in 0..1 + rng.below(30) {
                        let (request, answer) = some_request(&mut rng);
                        net.send(chosen, request);
                        client.asked.push(answer);
                    }
                }
            }
            net.run_for(Duration::from_micros(rng.below(3000)));
        }
        net.apply(&vec![TrafficLimits::default(); TENANTS as usize]);
        for link in clients.keys() {
            net.set_room(*link, usize::MAX);
        }
        net.run_for(Duration::from_secs(5));
        for (link, client) in &mut clients {
            client.answers += &net.received(*link);
            assert_eq!(net.pending(*link), 0, "seed {seed}: {link} is not read");
            assert_eq!(
                last_lines(&client.answers),
                client.asked,
                "seed {seed}: {link}"
            );
            net.close(*link);
        }
        // By then the deepest debt of the slowest rate is paid.
        net.run_for(Duration::from_secs(1_000_000));
        assert!(
            net.shard.is_idle() && net.shard.queue.is_empty(),
            "seed {seed}"
        );
        assert_eq!(net.shard.poll_timeout(), None, "seed {seed}");
        for tenant in 1..=TENANTS as u32 {
            let sum = net.sum(tenant);
            let left = (sum.connections, sum.paused, sum.inflight_bytes);
            assert_eq!(left, (0, 0, 0), "seed {seed}: {sum:?}");
        }
    }
}
