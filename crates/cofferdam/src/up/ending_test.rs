//! Tests of when a process that has handed over may end.

use super::*;
use crate::fake_plane::FakePlane;
use crate::observe::reading::FleetReading;

const BEGUN: Timestamp = Timestamp::from_secs(1000);

fn owes_nothing_after(fleet: Option<u64>, alone_for: Duration) -> bool {
    let plane = FakePlane::default();
    *plane.fleet.lock().unwrap() = fleet.map(|in_doubt| {
        let mut reading = FleetReading::default();
        reading.requests.in_doubt = in_doubt;
        reading
    });
    owes_nothing(&plane, BEGUN + alone_for, BEGUN)
}

#[test]
fn who_has_the_data_itself_owes_nothing() {
    assert!(owes_nothing_after(None, Duration::ZERO));
}

#[test]
fn keys_in_doubt_are_waited_for_and_no_older_word_of_them_is_believed() {
    assert!(!owes_nothing_after(Some(0), TOLD_WITHIN / 2));
    assert!(owes_nothing_after(Some(0), TOLD_WITHIN * 2));
    assert!(!owes_nothing_after(Some(1), TOLD_WITHIN * 100));
}
