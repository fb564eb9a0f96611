//! What a bucket gives over any stretch of time, alone and through leases, in virtual time.

use std::num::NonZeroU64;
use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;

use super::{Bucket, Lease, Rate};

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn rate(per_second: u64, burst: Duration) -> Rate {
    let per_second = NonZeroU64::new(per_second).unwrap();
    Rate { per_second, burst }
}

/// What was taken, and when.
type Taken = Vec<(Timestamp, u64)>;

/// The most by which any stretch of time got more than `rate` times its length, in units.
fn excess_max(taken: &Taken, rate: Rate) -> f64 {
    // With S(t) the sum up to t, the excess over (s, t] is (S(t) - r t) - (S(s-) - r s): the most
    // is a running maximum less a running minimum.
    let (mut sum, mut lowest, mut most) = (0.0, f64::INFINITY, 0.0f64);
    for (at, count) in taken {
        let due = at.since(START).as_secs_f64() * rate.per_second.get() as f64;
        lowest = f64::min(lowest, sum - due);
        sum += *count as f64;
        most = most.max(sum - due - lowest);
    }
    most
}

fn some_rate(rng: &mut Rng) -> Rate {
    let digits = 1 + rng.below(10) as u32;
    let per_second = 1 + rng.below(10u64.pow(digits));
    rate(per_second, Duration::from_millis(rng.below(2000)))
}

#[test]
fn a_bucket_never_gives_more_than_rate_times_time_and_the_burst() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let rate = some_rate(&mut rng);
        let burst = rate.burst.as_secs_f64() * rate.per_second.get() as f64;
        let largest = rate.units_in(rate.burst).max(1);
        let bucket = Bucket::default();
        let (mut now, mut taken) = (START, Taken::new());
        for _ in 0..2000 {
            now = now + Duration::from_nanos(rng.below(5_000_000));
            let count = rng.below(largest + 1);
            if bucket.take(now, rate, count).is_ok() {
                taken.push((now, count));
            }
        }
        // Half a unit stands for the rounding of these sums.
        let most = excess_max(&taken, rate);
        let allowed = burst.max(1.0) * (1.0 + 1e-9) + 0.5;
        assert!(most <= allowed, "seed {seed}: {most} over {allowed}");
    }
}

#[test]
fn leasing_loops_together_spend_no_more_but_for_the_turns_not_yet_paid() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let rate = some_rate(&mut rng);
        let loops = 1 + rng.below(4) as usize;
        let turn_max = 1 + rng.below(100);
        let bucket = Bucket::default();
        let mut leases: Vec<_> = (0..loops).map(|_| Lease::new(rate, loops)).collect();
        let (mut now, mut taken) = (START, Taken::new());
        for _ in 0..5000 {
            now = now + Duration::from_nanos(rng.below(1_000_000));
            let lease = &mut leases[rng.below(loops as u64) as usize];
            if lease.settle(now, &bucket).is_ok() {
                let count = 1 + rng.below(turn_max);
                lease.charge(count);
                taken.push((now, count));
            }
        }
        let burst = rate.burst.as_secs_f64() * rate.per_second.get() as f64;
        let unpaid = (loops as u64 * turn_max) as f64;
        let allowed = (burst.max(turn_max as f64) + unpaid) * (1.0 + 1e-9) + 0.5;
        let most = excess_max(&taken, rate);
        assert!(most <= allowed, "seed {seed}: {most} over {allowed}");
    }
}

#[test]
fn who_comes_back_when_told_is_given_all_of_the_rate() {
    for (per_second, burst_ms, loops) in [
        (1, 1000, 1),
        (1000, 1000, 2),
        (1_000_000, 10, 4),
        (10, 0, 2),
        (7_000_000_000, 200, 2),
    ] {
        let rate = rate(per_second, Duration::from_millis(burst_ms));
        let bucket = Bucket::default();
        let mut leases: Vec<_> = (0..loops).map(|_| Lease::new(rate, loops)).collect();
        let turn = (per_second / 1000).max(1);
        let (mut now, mut spent) = (START, 0u64);
        let end = START + Duration::from_secs(100);
        while now < end {
            let mut next = end;
            for lease in &mut leases {
                match lease.settle(now, &bucket) {
                    Ok(()) => {
                        lease.charge(turn);
                        spent += turn;
                        next = next.min(now + Duration::from_nanos(1000));
                    }
                    Err(at) => next = next.min(at),
                }
            }
            assert!(next > now, "told to come back at once at {now}");
            now = next;
        }
        let due = per_second * 100;
        assert!(spent * 100 >= due * 99, "{rate:?}: {spent} of {due}");
    }
}

#[test]
fn a_debt_delays_the_next_turn_by_what_it_takes_to_pay() {
    let bucket = Bucket::default();
    let mut lease = Lease::new(rate(1000, Duration::from_secs(1)), 1);
    lease.charge(500);
    assert_eq!(lease.settle(START, &bucket), Ok(()));
    lease.charge(5000);
    let paid_at = lease.settle(START, &bucket).unwrap_err();
    let owed = paid_at.since(START).as_millis();
    assert!((4490..=4510).contains(&owed), "{owed} ms");
    let before = START + Duration::from_secs(4);
    assert_eq!(lease.settle(before, &bucket), Err(paid_at));
    assert_eq!(lease.settle(paid_at, &bucket), Ok(()));
}

#[test]
fn no_loop_takes_every_drop() {
    let rate = rate(5000, Duration::from_millis(10));
    let bucket = Bucket::default();
    let mut leases = [(); 2].map(|()| Lease::new(rate, 2));
    let mut turns = [0u64; 2];
    let (mut now, end) = (START, START + Duration::from_secs(2));
    while now < end {
        let mut next = end;
        for (number, lease) in leases.iter_mut().enumerate() {
            match lease.settle(now, &bucket) {
                Ok(()) => {
                    // One loop's turns are ten times as large as the other's.
                    lease.charge(if number == 0 { 5 } else { 50 });
                    turns[number] += 1;
                    next = next.min(now + Duration::from_nanos(1000));
                }
                Err(at) => next = next.min(at),
            }
        }
        now = next;
    }
    let spent = turns[0] * 5 + turns[1] * 50;
    assert!((9_900..=10_200).contains(&spent), "{spent} of 10,000");
    assert!(turns[1] * 10 >= turns[0] * 9, "{turns:?}");
}

#[test]
fn a_debt_is_as_many_units_by_another_rate() {
    let bucket = Bucket::default();
    let second = Duration::from_secs(1);
    let mut lease = Lease::new(rate(1, second), 1);
    // What exceeds a full bucket is had at once, and paid for after.
    lease.charge(1000);
    assert_eq!(lease.settle(START, &bucket), Ok(()));
    lease.charge(1);
    let paid_at = lease.settle(START, &bucket).unwrap_err();
    assert!(paid_at >= START + Duration::from_secs(1000));
    let mut lease = Lease::new(rate(1000, second), 1);
    lease.charge(1);
    let paid_at = lease.settle(START, &bucket).unwrap_err();
    assert!(paid_at.since(START) <= second + second / 10, "{paid_at:?}");
    assert!(paid_at.since(START) >= second - second / 10, "{paid_at:?}");
}

#[test]
fn a_rate_that_changes_again_and_again_gives_no_more_than_one_that_does_not() {
    let bucket = Bucket::default();
    let second = Duration::from_secs(1);
    let (mut now, mut spent) = (START, 0);
    for round in 0..100 {
        let per_second = if round % 2 == 0 { 200 } else { 210 };
        let mut lease = Lease::new(rate(per_second, second), 1);
        let until = now + Duration::from_millis(100);
        while now < until {
            lease.charge(1);
            spent += 1;
            if let Err(at) = lease.settle(now, &bucket) {
                now = at.max(now);
            }
        }
    }
    let took = now.since(START).as_secs();
    // The burst at first, and for each new lease the turn that it has before it asks.
    assert!(spent <= 210 * (took + 1) + 2 * 100, "{spent} in {took} s");
    assert!(spent >= 200 * took, "{spent} in {took} s");
}

#[test]
fn what_was_saved_up_by_a_lower_rate_is_no_more_by_a_higher_one() {
    let bucket = Bucket::default();
    let second = Duration::from_secs(1);
    let mut lease = Lease::new(rate(10, second), 1);
    lease.charge(1);
    lease.settle(START, &bucket).unwrap();
    let higher = rate(1000, second);
    let mut lease = Lease::new(higher, 1);
    lease.charge(1);
    lease.settle(START, &bucket).unwrap();
    assert!(bucket.saved(START, higher) <= 10);
    assert!(bucket.saved(START + second, higher) >= 990);
}

#[test]
fn a_turn_without_limit_in_sight_asks_the_bucket_once_a_slice() {
    let bucket = Bucket::default();
    let rate = rate(1_000_000, Duration::from_secs(1));
    let mut lease = Lease::new(rate, 1);
    lease.charge(1);
    lease.settle(START, &bucket).unwrap();
    let before = format!("{bucket:?}");
    for _ in 0..1000 {
        lease.charge(1);
        lease.settle(START, &bucket).unwrap();
    }
    assert_eq!(before, format!("{bucket:?}"));
}

#[test]
fn a_rate_may_change_while_the_bucket_is_in_use() {
    let bucket = Bucket::default();
    let slow = rate(10, Duration::from_secs(1));
    assert_eq!(bucket.take(START, slow, 10), Ok(()));
    assert_eq!(
        bucket.take(START, slow, 1),
        Err(START + Duration::from_millis(100))
    );
    let quick = rate(1000, Duration::from_secs(1));
    assert_eq!(
        bucket.take(START, quick, 1),
        Err(START + Duration::from_millis(1))
    );
}

#[test]
fn extreme_rates_and_counts_do_not_overflow() {
    for per_second in [1, u64::MAX] {
        for burst in [Duration::ZERO, Duration::MAX] {
            let rate = rate(per_second, burst);
            let bucket = Bucket::default();
            let _ = bucket.take(Timestamp::MAX, rate, u64::MAX);
            let _ = bucket.take(Timestamp::ZERO, rate, u64::MAX);
            let mut lease = Lease::new(rate, usize::MAX);
            lease.charge(u64::MAX);
            lease.charge(u64::MAX);
            let _ = lease.settle(START, &bucket);
        }
    }
}

#[test]
fn a_bucket_tells_what_is_saved_up() {
    let rate = rate(100, Duration::from_secs(2));
    let bucket = Bucket::default();
    assert_eq!(bucket.saved(START, rate), 200);
    bucket.take(START, rate, 150).unwrap();
    assert_eq!(bucket.saved(START, rate), 50);
    assert_eq!(bucket.saved(START + Duration::from_secs(1), rate), 150);
    bucket.overdraw(START, rate, 1_000);
    assert_eq!(bucket.saved(START, rate), 0);
}
