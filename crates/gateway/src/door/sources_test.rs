//! What is remembered of sources, and that it is bounded.

use std::net::{Ipv4Addr, Ipv6Addr};

use base::Timestamp;

use super::{REMEMBERED, Source, SourceTable};
use crate::Peer;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn v4(number: u32) -> Source {
    Peer::Ip(Ipv4Addr::from(number).into(), 1).into()
}

#[test]
fn an_ipv6_network_of_64_bits_is_one_source_and_an_ipv4_address_is_one() {
    let v6 = |last: u16, subnet: u16| -> Source {
        let ip = Ipv6Addr::new(0x2001, 0xdb8, 0, subnet, 0, 0, 1, last);
        Peer::Ip(ip.into(), last).into()
    };
    assert_eq!(v6(1, 0), v6(2, 0));
    assert_ne!(v6(1, 0), v6(1, 1));
    assert_ne!(v4(1), v4(2));
}

#[test]
fn who_keeps_coming_is_remembered_and_the_rest_is_forgotten_in_time() {
    let mut table = SourceTable::default();
    table.trust(v4(0));
    table.trust(v4(1));
    for number in 2..4 * REMEMBERED as u32 {
        table.is_too_fast(NOW, v4(number), 1);
        if number % 1000 == 0 {
            assert!(table.is_trusted(v4(0)));
        }
    }
    assert!(!table.is_trusted(v4(1)));
    assert!(table.young.len() + table.old.len() <= 2 * REMEMBERED + 1);
}

#[test]
fn a_rate_of_a_source_is_its_own() {
    let mut table = SourceTable::default();
    let fast = (0..100)
        .filter(|_| table.is_too_fast(NOW, v4(1), 10))
        .count();
    assert_eq!(fast, 90);
    assert!(!table.is_too_fast(NOW, v4(2), 10));
    assert!(table.is_too_fast(NOW, v4(3), 0));
}
