//! Pausing, refusing and going on, in virtual time.

use std::time::Duration;

use base::rng::Rng;
use base::{Timestamp, TrafficLimits};

use crate::testing::NOW;
use crate::virtual_loop::VirtualLoop;

const MS: Duration = Duration::from_millis(1);

fn free() -> TrafficLimits {
    TrafficLimits::default()
}

/// So many requests a second, with a tenth of that saved up.
fn ops(per_second: u64) -> TrafficLimits {
    TrafficLimits {
        ops_per_second: Some(per_second),
        burst: 100 * MS,
        ..free()
    }
}

#[test]
fn a_tenant_over_its_rate_is_paused_and_nothing_is_read() {
    let mut net = VirtualLoop::new(&[ops(100), free()]);
    net.connect(1, 1);
    net.connect(2, 2);
    net.run_for(MS);
    for _ in 0..20 {
        net.send(1, "get a\r\n");
        net.run_for(MS / 10);
    }
    let served = net.received(1).matches("END").count();
    assert!((10..=13).contains(&served), "{served}");
    net.send(1, "get a\r\n".repeat(1000));
    net.run_for(5 * MS);
    assert!(net.shard.is_idle() && net.shard.is_paused(net.session(1)));
    assert!(net.pending(1) > 0, "its socket is read all the same");
    let wake = net.shard.poll_timeout().unwrap();
    assert!(wake > net.now && wake.since(net.now) <= 20 * MS);
    net.send(2, "get a\r\n");
    net.run_for(MS);
    assert_eq!(net.received(2), "END\r\n", "another tenant does not wait");
    let sum = net.sum(1);
    assert_eq!((sum.paused, sum.reads_refused), (1, 0));
    assert!(sum.pauses > 0);
}

#[test]
fn what_has_waited_for_the_greatest_delay_is_refused_and_nothing_before() {
    let mut net = VirtualLoop::new(&[ops(10)]);
    net.connect(1, 1);
    net.run_for(MS);
    net.send(1, "set a 0 0 1\r\nx\r\n");
    net.run_for(MS);
    net.received(1);
    let asked = net.now;
    net.send(1, "get a\r\n".repeat(50));
    net.run_until(asked + 199 * MS);
    let before = net.received(1);
    assert!(before.matches("VALUE").count() <= 4, "{before}");
    assert_eq!(
        before.matches("VALUE").count(),
        before.matches("END").count()
    );
    net.run_until(asked + 202 * MS);
    let after = net.received(1);
    assert_eq!(
        before.matches("END").count() + after.matches("END").count(),
        50
    );
    assert!(after.matches("VALUE").count() <= 1, "{after}");
    let sum = net.sum(1);
    assert_eq!(sum.reads_served + sum.reads_refused, 50);
    assert!(sum.paused_ns >= 150_000_000, "{}", sum.paused_ns);
}

#[test]
fn over_a_long_time_a_tenant_gets_its_rate_and_every_request_an_answer_in_time() {
    for seed in 0..8 {
        let mut rng = Rng::new(seed);
        let per_second = 200 + rng.below(2000);
        let mut net = VirtualLoop::new(&[ops(per_second)]);
        let connections = 1 + rng.below(30);
        (0..connections).for_each(|link| net.connect(1, link));
        let (mut asked, mut answered) = (0, 0);
        while net.now < NOW + Duration::from_secs(5) {
            let link = rng.below(connections);
            let count = 1 + rng.below(20);
            net.send(link, "get some-key\r\n".repeat(count as usize));
            asked += count;
            // Three times what it may have, as a rule.
            let distance = Duration::from_secs(10) / (3 * per_second as u32);
            net.run_for(distance.mul_f64(2.0 * rng.unit_f64()));
        }
        net.run_for(250 * MS);
        for link in 0..connections {
            answered += net.received(link).matches("END").count() as u64;
        }
        assert_eq!(answered, asked, "seed {seed}");
        let sum = net.sum(1);
        assert_eq!(sum.reads_served + sum.reads_refused, asked, "seed {seed}");
        let due = per_second as f64 * 5.25;
        let most = due + per_second as f64 * 0.1 + 64.0;
        assert!(
            (due * 0.9..=most).contains(&(sum.reads_served as f64)),
            "seed {seed}: {} of {due}",
            sum.reads_served
        );
        let delays = net.figures.tenant(base::TenantId(1)).delays();
        let longest = delays.quantile(1.0).unwrap();
        assert!(longest <= 300 * MS, "seed {seed}: {longest:?}");
        assert_eq!(delays.count(), asked);
    }
}

#[test]
fn a_tenant_within_its_share_is_never_refused_whatever_others_do() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let mut net = VirtualLoop::new(&[free(), free(), ops(500)]);
        (0..10).for_each(|link| net.connect(1, link));
        (100..150).for_each(|link| net.connect(2, link));
        (200..210).for_each(|link| net.connect(3, link));
        while net.now < NOW + Duration::from_secs(1) {
            // The victim: 16,000 requests a second of 5 us each.
            (0..8).for_each(|link| net.send(link, "get a\r\n"));
            // The flood: three times what the machine can do.
            let line = format!("get{}\r\n", " key".repeat(100));
            net.send(100 + rng.below(50), line.repeat(15));
            net.send(200 + rng.below(10), "get a\r\n".repeat(5));
            net.run_for(Duration::from_micros(500));
        }
        let (victim, flood) = (net.sum(1), net.sum(2));
        assert_eq!((victim.reads_refused, victim.pauses), (0, 0), "seed {seed}");
        let delays = net.figures.tenant(base::TenantId(1)).delays();
        assert!(
            delays.p99().unwrap() < MS,
            "seed {seed}: {:?}",
            delays.p99()
        );
        assert!(
            flood.reads_refused > 0,
            "seed {seed}: the flood is not refused"
        );
        assert_eq!(flood.pauses, 0, "it has no limit");
        // Refusing wastes little of what is left to it.
        let busy = flood.busy_ns as f64 / 1e9;
        assert!(busy > 0.88, "seed {seed}: {busy}");
    }
}

#[test]
fn who_never_lets_his_input_run_dry_but_is_served_quickly_is_not_refused() {
    let mut net = VirtualLoop::new(&[free()]);
    net.connect(1, 1);
    let piece = "set some-key 0 0 100 noreply\r\n".to_owned() + &"x".repeat(100) + "\r\n";
    let end = NOW + Duration::from_secs(2);
    while net.now < end {
        while net.pending(1) < 256 * 1024 {
            net.send(1, piece.repeat(500));
        }
        net.step();
    }
    let sum = net.sum(1);
    assert_eq!(sum.writes_refused, 0);
    assert!(sum.writes_served > 100_000, "{}", sum.writes_served);
}

#[test]
fn a_client_that_does_not_read_makes_its_tenant_wait_and_nobody_else() {
    let limits = TrafficLimits {
        inflight_bytes: Some(5000),
        max_delay: Duration::from_secs(3600),
        ..free()
    };
    let mut net = VirtualLoop::new(&[limits, free()]);
    net.connect(1, 1);
    net.connect(1, 2);
    net.connect(2, 3);
    net.send(1, format!("set a 0 0 1000\r\n{}\r\n", "x".repeat(1000)));
    net.run_for(MS);
    net.received(1);
    net.set_room(1, 100);
    net.send(1, "get a\r\n");
    net.run_for(MS);
    // What it owes, and the kernel's buffer.
    assert!(net.sum(1).inflight_bytes > 10_000);
    net.send(2, "get a\r\n");
    net.send(3, "get a\r\n");
    net.run_for(100 * MS);
    assert!(net.shard.is_paused(net.session(2)));
    assert_eq!(
        (net.received(2).as_str(), net.received(3).as_str()),
        ("", "END\r\n")
    );
    net.set_room(1, 10_000);
    net.run_for(MS);
    assert!(net.received(1).ends_with("END\r\n"));
    assert!(net.received(2).ends_with("END\r\n"));
    let sum = net.sum(1);
    assert_eq!((sum.inflight_bytes, sum.paused, sum.pauses), (0, 0, 1));
    assert!(sum.paused_ns >= 99_000_000, "{}", sum.paused_ns);
}

#[test]
fn a_connection_that_ends_takes_its_bytes_on_their_way_with_it() {
    let limits = TrafficLimits {
        inflight_bytes: Some(5000),
        ..free()
    };
    let mut net = VirtualLoop::new(&[limits]);
    net.connect(1, 1);
    net.connect(1, 2);
    net.set_room(1, 0);
    net.send(1, "get a\r\n");
    net.run_for(MS);
    net.send(2, "get a\r\n");
    net.run_for(MS);
    assert!(net.shard.is_paused(net.session(2)));
    net.close(1);
    net.run_for(MS);
    assert_eq!(net.received(2), "END\r\n");
    assert_eq!(net.sum(1).inflight_bytes, 0);
}

#[test]
fn what_is_owed_is_written_though_its_tenant_is_paused() {
    let mut net = VirtualLoop::new(&[ops(10)]);
    net.connect(1, 1);
    net.connect(1, 2);
    net.run_for(MS);
    net.set_room(1, 2);
    net.send(1, "get a\r\nget a\r\nget a\r\n");
    net.send(2, "get a\r\n".repeat(10));
    net.run_for(MS);
    assert!(net.shard.is_paused(net.session(2)));
    net.set_room(1, 1000);
    net.run_for(MS);
    assert!(
        net.received(1).starts_with("END\r\n"),
        "nothing was written"
    );
}

#[test]
fn a_paused_client_that_has_gone_has_its_turn_at_once() {
    let mut net = VirtualLoop::new(&[ops(1)]);
    net.connect(1, 1);
    net.connect(1, 2);
    net.send(1, "set a 0 0 1\r\nx\r\n");
    net.run_for(MS);
    net.send(1, "get b\r\nget b\r\nget b\r\n");
    net.send(2, "get a\r\ndelete a noreply\r\nget a\r\n");
    net.run_for(MS);
    let gone = net.session(2);
    assert!(net.shard.is_paused(gone));
    net.received(2);
    net.shard.hurry(net.now, gone);
    net.run_for(MS);
    assert_eq!(net.pending(2), 0);
    assert_eq!(net.received(2), "END\r\nEND\r\n", "its reads are refused");
    assert_eq!(net.sum(1).writes_served, 2, "its removal is carried out");
    net.close(2);
    net.run_for(300 * MS);
    assert_eq!(net.received(1).matches("END").count(), 3);
}

#[test]
fn of_paused_clients_that_go_together_each_has_its_turn() {
    let mut net = VirtualLoop::new(&[ops(1)]);
    for link in 0..20 {
        net.connect(1, link);
        net.send(link, "get a\r\nget b\r\n");
    }
    net.run_for(MS);
    for link in 5..15 {
        let gone = net.session(link);
        assert!(net.shard.is_paused(gone), "{link}");
        net.shard.hurry(net.now, gone);
    }
    net.run_for(MS);
    let read = (0..20).filter(|link| net.pending(*link) == 0);
    assert!(read.filter(|link| (5..15).contains(link)).count() == 10);
}

#[test]
fn a_limit_that_is_lifted_lets_go_at_once_and_one_that_is_set_holds_from_then_on() {
    let mut net = VirtualLoop::new(&[ops(1)]);
    net.connect(1, 1);
    net.send(1, "get a\r\n".repeat(30));
    net.run_for(MS);
    assert!(net.shard.is_paused(net.session(1)));
    net.apply(&[free()]);
    net.run_for(MS);
    assert_eq!(net.received(1).matches("END").count(), 30);
    assert_eq!(net.sum(1).reads_refused, 0);
    net.apply(&[ops(1)]);
    net.send(1, "get a\r\n".repeat(30));
    net.run_for(MS);
    assert!(net.shard.is_paused(net.session(1)));
}

#[test]
fn weights_share_the_machine_and_change_at_once() {
    let weights = |one, two| [one, two].map(|weight| TrafficLimits { weight, ..free() });
    let mut net = VirtualLoop::new(&weights(300, 100));
    net.connect(1, 1);
    net.connect(2, 2);
    for (shares, expected) in [((300, 100), 3.0), ((100, 200), 0.5)] {
        net.apply(&weights(shares.0, shares.1));
        let before = (net.sum(1).busy_ns, net.sum(2).busy_ns);
        let end = net.now + 200 * MS;
        while net.now < end {
            for link in [1, 2] {
                if net.pending(link) < 10_000 {
                    net.send(link, "get a\r\n".repeat(2000));
                }
            }
            net.step();
        }
        let one = (net.sum(1).busy_ns - before.0) as f64;
        let two = (net.sum(2).busy_ns - before.1) as f64;
        assert!((one / two / expected - 1.0).abs() < 0.05, "{one} {two}");
    }
}

#[test]
fn sessions_that_end_while_their_tenant_is_paused_leave_nothing_behind() {
    let mut net = VirtualLoop::new(&[ops(10), free()]);
    for round in 0..50 {
        for link in 0..20 {
            net.connect(1, link);
            net.send(link, "get a\r\n".repeat(10));
        }
        net.run_for(if round % 2 == 0 { MS } else { 250 * MS });
        (0..20).for_each(|link| net.close(link));
    }
    assert_eq!(net.shard.session_count(), 0);
    net.run_for(Duration::from_secs(1));
    assert!(net.shard.is_idle());
    assert_eq!(net.shard.queue.len(), 0, "stale places stay in the queue");
    let sum = net.sum(1);
    assert_eq!((sum.paused, sum.connections), (0, 0));
    assert_eq!(net.shard.poll_timeout(), None);
}

#[test]
fn without_protections_the_first_come_is_the_first_served_and_nothing_is_limited() {
    let mut net = VirtualLoop::with_protections(&[ops(1), free()], false);
    (0..50).for_each(|link| net.connect(1, link));
    net.connect(2, 100);
    net.run_for(MS);
    (0..50).for_each(|link| net.send(link, "get a\r\n"));
    net.send(100, "get a\r\n");
    let begin = net.now;
    for _ in 0..51 {
        assert!(net.received(100).is_empty(), "it is served before its time");
        net.step();
    }
    assert_eq!(net.received(100), "END\r\n");
    assert!(net.now.since(begin) >= Duration::from_micros(200));
    let sum = net.sum(1);
    assert_eq!(
        (sum.reads_served, sum.reads_refused, sum.pauses),
        (50, 0, 0)
    );
}

#[test]
fn connections_that_ask_for_nothing_are_told_apart() {
    let mut net = VirtualLoop::new(&[free()]);
    net.connect(1, 1);
    net.connect(1, 2);
    net.send(2, "version\r\nget a\r\n");
    net.run_for(MS);
    net.close(1);
    net.close(2);
    let sum = net.sum(1);
    assert_eq!((sum.connections_total, sum.connections_unused), (2, 1));
}

#[test]
fn a_clock_far_ahead_breaks_nothing() {
    let limits = TrafficLimits {
        max_delay: Duration::MAX,
        burst: Duration::MAX,
        ..ops(u64::MAX)
    };
    let mut net = VirtualLoop::new(&[limits]);
    net.now = Timestamp::from_nanos(u64::MAX - 1_000_000_000);
    net.connect(1, 1);
    net.send(1, "get a\r\n".repeat(100));
    net.run_for(MS);
    assert_eq!(net.received(1).matches("END").count(), 100);
}
