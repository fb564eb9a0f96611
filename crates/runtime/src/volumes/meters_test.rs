//! Figures over virtual time.

use super::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

#[test]
fn counts_bytes_and_time_are_of_the_kind() {
    let meters = Meters::new(at(0));
    meters.begins(at(10));
    meters.begins(at(11));
    meters.moves(Operation::Write, 4096);
    meters.ends(Operation::Write, at(10), at(15), true);
    meters.ends(Operation::Read, at(11), at(18), false);
    let figures = meters.figures(at(20));
    let [read, write, zero, flush] = figures.operations;
    assert_eq!((write.count, write.failed, write.bytes), (1, 0, 4096));
    assert_eq!(write.time, Duration::from_millis(5));
    assert_eq!((read.count, read.failed, read.bytes), (1, 1, 0));
    assert_eq!(read.time, Duration::from_millis(7));
    assert_eq!((zero.count, flush.count), (0, 0));
}

#[test]
fn idle_is_when_nothing_is_under_way() {
    let meters = Meters::new(at(0));
    assert_eq!(meters.figures(at(10)).idle, Duration::from_millis(10));
    meters.begins(at(10));
    meters.begins(at(12));
    assert_eq!(meters.figures(at(15)).idle, Duration::from_millis(10));
    meters.ends(Operation::Flush, at(10), at(20), true);
    meters.ends(Operation::Flush, at(12), at(22), true);
    assert_eq!(meters.figures(at(30)).idle, Duration::from_millis(18));
    assert_eq!(meters.figures(at(30)).queue_len, 0);
}

#[test]
fn what_is_asked_and_not_answered_stands_still() {
    let meters = Meters::new(at(0));
    assert_eq!(meters.figures(at(9_000)).still, Duration::ZERO);
    meters.begins(at(9_000));
    meters.begins(at(10_000));
    let figures = meters.figures(at(14_000));
    assert_eq!(figures.still, Duration::from_secs(5));
    assert_eq!(figures.queue_len, 2);
    meters.ends(Operation::Read, at(9_000), at(15_000), true);
    assert_eq!(meters.figures(at(16_000)).still, Duration::from_secs(1));
}
