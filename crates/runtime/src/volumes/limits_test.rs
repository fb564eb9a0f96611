//! What limits let through over a stretch of virtual time.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn limits(iops: Option<u64>, bytes_per_second: Option<u64>) -> VolumeLimits {
    VolumeLimits {
        iops,
        bytes_per_second,
    }
}

fn read(len: u32) -> Command {
    let (offset, whole) = (0, false);
    Command::Read { offset, len, whole }
}

/// How many requests are through after `seconds`, one behind the other.
fn through(limiter: &Limiter, command: &Command, seconds: u64) -> u64 {
    let end = START + Duration::from_secs(seconds);
    let (mut now, mut count) = (START, 0);
    loop {
        let mut owed = Owed::by(command).expect("it is not free");
        while let Err(at) = limiter.take(now, &mut owed) {
            assert!(at > now);
            now = at;
        }
        if now >= end {
            return count;
        }
        count += 1;
    }
}

#[test]
fn operations_come_at_their_rate_behind_a_burst() {
    let limiter = Limiter::new(limits(Some(100), None));
    // Times are rounded up to nanoseconds.
    let count = through(&limiter, &read(4096), 10);
    assert!((1099..=1100).contains(&count), "{count}");
}

#[test]
fn bytes_count_where_requests_are_long() {
    let limiter = Limiter::new(limits(Some(1_000_000), Some(1 << 20)));
    let count = through(&limiter, &read(64 << 10), 10);
    assert!((175..=176).contains(&count), "{count}");
}

#[test]
fn a_request_longer_than_the_burst_is_paid_for_after() {
    let limiter = Limiter::new(limits(None, Some(1 << 20)));
    let count = through(&limiter, &read(4 << 20), 40);
    assert!((10..=11).contains(&count), "{count}");
}

#[test]
fn flushes_are_free_and_zeroes_have_no_bytes() {
    assert_eq!(Owed::by(&Command::Flush), None);
    let limiter = Limiter::new(limits(None, Some(1)));
    let trim = Command::Trim {
        offset: 0,
        len: u32::MAX,
        fua: false,
    };
    let mut owed = Owed::by(&trim).expect("an operation");
    assert_eq!(limiter.take(START, &mut owed), Ok(()));
}

#[test]
fn the_balance_falls_and_comes_back() {
    let limiter = Limiter::new(limits(Some(100), None));
    assert_eq!(limiter.balance(START).operations_permille, Some(1000));
    assert_eq!(limiter.balance(START).bytes_permille, None);
    for _ in 0..40 {
        let mut owed = Owed::by(&read(1)).expect("an operation");
        limiter.take(START, &mut owed).expect("within the burst");
    }
    assert_eq!(limiter.balance(START).operations_permille, Some(600));
    let later = START + Duration::from_secs(1);
    assert_eq!(limiter.balance(later).operations_permille, Some(1000));
}

#[test]
fn whoever_waits_goes_when_the_limit_does() {
    let limiter = Limiter::new(limits(Some(1), None));
    let clock = Clock::new();
    let owed = Owed::by(&read(1)).expect("an operation");
    limiter.wait(clock, owed);
    std::thread::scope(|scope| {
        // Hours, were they not lifted.
        scope.spawn(|| {
            for _ in 0..10_000 {
                limiter.wait(clock, owed);
            }
        });
        limiter.lift();
    });
}
