//! A few attempts at once, then one every ten seconds, each source by itself.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn source(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn five_at_once_then_one_each_ten_seconds() {
    let mut attempts = Attempts::default();
    let one = source("192.0.2.1");
    for _ in 0..BURST {
        assert_eq!(attempts.check(START, one), Ok(()));
        attempts.failed(START, one);
    }
    assert_eq!(attempts.check(START, one), Err(REFILL));
    assert_eq!(attempts.check(START, source("192.0.2.2")), Ok(()));
    let later = START + REFILL;
    assert_eq!(attempts.check(later, one), Ok(()));
    attempts.failed(later, one);
    assert!(attempts.check(later, one).is_err());
    assert_eq!(attempts.check(later + REFILL * BURST, one), Ok(()));
}

#[test]
fn a_network_of_ipv6_is_one_source_and_so_is_an_address_in_both_forms() {
    let mut attempts = Attempts::default();
    for host in 0..5 {
        attempts.failed(START, source(&format!("2001:db8::{host}")));
        attempts.failed(START, source("::ffff:192.0.2.1"));
    }
    assert!(attempts.check(START, source("2001:db8::ffff")).is_err());
    assert_eq!(attempts.check(START, source("2001:db8:0:1::")), Ok(()));
    assert!(attempts.check(START, source("192.0.2.1")).is_err());
}

#[test]
fn memory_is_bounded_and_comes_back() {
    let mut attempts = Attempts::default();
    for number in 0..2000u32 {
        let one = Some(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        if attempts.check(START, one).is_ok() {
            attempts.failed(START, one);
        }
    }
    assert_eq!(attempts.forgiven.len(), SOURCES_MAX);
    assert!(attempts.check(START, source("192.0.2.9")).is_err());
    assert_eq!(attempts.check(START + REFILL, source("192.0.2.9")), Ok(()));
}

#[test]
fn the_unix_socket_is_not_counted() {
    let mut attempts = Attempts::default();
    for _ in 0..100 {
        attempts.failed(START, None);
    }
    assert_eq!(attempts.check(START, None), Ok(()));
}

#[test]
fn an_attempt_that_was_right_costs_nothing() {
    let mut attempts = Attempts::default();
    let one = source("192.0.2.1");
    for _ in 0..3 * BURST {
        assert_eq!(attempts.take(START, one), Ok(()));
        attempts.give_back(one);
    }
    for _ in 0..BURST {
        assert_eq!(attempts.take(START, one), Ok(()));
    }
    assert_eq!(attempts.take(START, one), Err(REFILL));
    attempts.give_back(None);
    attempts.give_back(source("192.0.2.2"));
    assert_eq!(attempts.take(START, source("192.0.2.2")), Ok(()));
}
