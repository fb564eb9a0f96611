//! Tests of the storm's script.

use std::collections::HashSet;

use super::*;

fn script(same_source: bool) -> Script {
    let size = StormSize {
        connections: 16_000,
        period: Duration::from_secs(3),
    };
    Script::new(size, same_source)
}

const SECOND: u64 = 1_000_000_000;

#[test]
fn all_connections_are_opened_within_one_period() {
    let script = script(false);
    assert_eq!(script.openings(0), 0);
    assert_eq!(script.openings(3 * SECOND / 2), 8_000);
    assert_eq!(script.openings(3 * SECOND), 16_000);
    assert_eq!(script.openings(9 * SECOND), 48_000);
    assert_eq!(script.openings(u64::MAX), script.openings(u64::MAX));
}

#[test]
fn a_place_ends_just_before_it_is_opened_again() {
    let script = script(false);
    assert_eq!(script.endings(2 * SECOND), 0);
    for ms in [3_001, 4_321, 8_888] {
        let now = ms * 1_000_000;
        let ahead = script.endings(now) + 16_000 - script.openings(now);
        // 10 ms of 5,333 a second.
        assert!((53..=54).contains(&ahead), "{ahead}");
    }
}

#[test]
fn one_place_in_ten_is_kept() {
    let script = script(false);
    let kept = (0..16_000).filter(|place| script.is_kept(*place)).count();
    assert_eq!(kept, 1_600);
}

#[test]
fn every_place_has_an_address_of_its_own_and_never_the_same_port_twice_in_a_row() {
    let script = script(false);
    let sources: HashSet<Ipv4Addr> = (0..16_000).map(|it| script.source(it).0).collect();
    assert_eq!(sources.len(), 16_000);
    assert!(sources.iter().all(Ipv4Addr::is_loopback));
    let home = Ipv4Addr::new(127, 0, 0, 1);
    assert!(!sources.contains(&home), "the victims' own address");
    let (first, again) = (script.source(7), script.source(16_007));
    assert_eq!(first.0, again.0);
    assert_ne!(first.1, again.1);
}

#[test]
fn one_source_goes_through_its_ports() {
    let script = script(true);
    let sources: HashSet<(Ipv4Addr, u16)> = (0..50_000).map(|it| script.source(it)).collect();
    assert_eq!(sources.len(), 50_000);
    assert!(
        sources
            .iter()
            .all(|(address, _)| *address == Ipv4Addr::new(127, 0, 0, 2))
    );
}
