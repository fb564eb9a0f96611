//! Tests that deadlines come in order, when they are due, and leave no room behind.

use super::*;

#[test]
fn the_earliest_comes_first_and_none_before_its_time() {
    let mut deadlines = Deadlines::default();
    let at = Timestamp::from_nanos;
    for (ns, link) in [(30, 3), (10, 1), (20, 2)] {
        deadlines.add(at(ns), link);
    }
    assert_eq!(deadlines.next(), Some(at(10)));
    assert_eq!(deadlines.take_due(at(9)), None);
    assert_eq!(deadlines.take_due(at(25)), Some((at(10), 1)));
    assert_eq!(deadlines.take_due(at(25)), Some((at(20), 2)));
    assert_eq!(deadlines.take_due(at(25)), None);
}

#[test]
fn a_crowd_leaves_no_room_behind() {
    let mut deadlines = Deadlines::default();
    for link in 0..10_000 {
        deadlines.add(Timestamp::from_nanos(link), link);
    }
    while deadlines.take_due(Timestamp::MAX).is_some() {}
    assert!(deadlines.0.capacity() <= ROOM_KEPT * 2);
}
