//! Sources take turns, however many come from one of them.

use std::net::IpAddr;

use gateway::Peer;

use super::{Source, Turns};

fn source(text: &str) -> Source {
    let ip: IpAddr = text.parse().unwrap();
    Source::from(Peer::Ip(ip, 1))
}

fn entered(turns: &mut Turns, number: u64, from: &str) {
    turns.enter(number, source(from));
    turns.push(number);
}

#[test]
fn one_source_s_storm_does_not_delay_another() {
    let mut turns = Turns::default();
    for number in 0..1000 {
        entered(&mut turns, number, "192.0.2.1");
    }
    entered(&mut turns, 1000, "192.0.2.2");
    assert_eq!(turns.pop(), Some(0));
    assert_eq!(turns.pop(), Some(1000));
    assert_eq!(turns.pop(), Some(1));
}

#[test]
fn an_ipv6_network_is_one_source() {
    assert_eq!(source("2001:db8::1"), source("2001:db8::2"));
    assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
    assert_ne!(source("192.0.2.1"), Source::from(Peer::Unix));
}

#[test]
fn one_waits_once_however_often_it_is_announced() {
    let mut turns = Turns::default();
    entered(&mut turns, 1, "192.0.2.1");
    turns.push(1);
    assert_eq!((turns.pop(), turns.pop()), (Some(1), None));
    turns.push(1);
    assert_eq!((turns.pop(), turns.pop()), (Some(1), None));
    assert!(!turns.has_waiting());
}

#[test]
fn who_has_left_has_no_turn_and_nothing_is_kept_of_him() {
    let mut turns = Turns::default();
    for number in 0..4 {
        entered(&mut turns, number, "192.0.2.1");
    }
    turns.leave(0);
    turns.leave(2);
    turns.leave(2);
    assert_eq!(turns.len(), 2);
    assert_eq!(
        (turns.pop(), turns.pop(), turns.pop()),
        (Some(1), Some(3), None)
    );
    turns.leave(1);
    turns.leave(3);
    assert!(turns.by_source.is_empty() && turns.by_count.is_empty() && turns.waiting.is_empty());
}

#[test]
fn a_source_that_left_and_came_back_still_takes_single_turns() {
    let mut turns = Turns::default();
    entered(&mut turns, 1, "192.0.2.1");
    turns.leave(1);
    entered(&mut turns, 2, "192.0.2.1");
    entered(&mut turns, 3, "192.0.2.1");
    assert_eq!(
        (turns.pop(), turns.pop(), turns.pop()),
        (Some(2), Some(3), None)
    );
}

#[test]
fn the_oldest_of_the_fattest_source_is_shed_and_the_oldest_of_all_expires() {
    let mut turns = Turns::default();
    turns.enter(1, source("192.0.2.1"));
    for number in 2..5 {
        turns.enter(number, source("192.0.2.2"));
    }
    assert_eq!(turns.oldest(), Some(1));
    assert_eq!(turns.oldest_of_fattest(), Some(2));
    turns.leave(2);
    turns.leave(3);
    turns.enter(6, source("192.0.2.1"));
    assert_eq!(turns.oldest_of_fattest(), Some(1));
}
