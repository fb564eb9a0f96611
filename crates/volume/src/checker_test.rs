//! The checker on histories that are right and on such that are not.

use super::*;

fn block(content: Content) -> Vec<u8> {
    match content {
        Content::Zero => vec![0; BLOCK_LEN],
        Content::Stamp(stamp) => stamped(stamp, 7),
        Content::Torn => vec![1; BLOCK_LEN],
    }
}

fn stamp(number: u64) -> Content {
    Content::Stamp(number)
}

fn write(checker: &mut Checker, op: u64) {
    checker.write_begins(op, 7, 1, stamp(op));
    checker.write_answered(op, false);
}

fn flush(checker: &mut Checker) {
    checker.begins(1000);
    checker.flush_answered(1000);
}

/// Which of some contents a crash now may leave.
fn may_be_left(build: &dyn Fn(&mut Checker), contents: &[Content]) -> Vec<bool> {
    let legal = contents.iter().map(|content| {
        let mut checker = Checker::new();
        build(&mut checker);
        checker.crash();
        checker.settle(7, &block(*content)).is_empty()
    });
    legal.collect()
}

const ALL: [Content; 5] = [
    Content::Zero,
    Content::Stamp(1),
    Content::Stamp(2),
    Content::Stamp(3),
    Content::Torn,
];

#[test]
fn only_what_was_flushed_must_survive() {
    let left = |build: &dyn Fn(&mut Checker)| may_be_left(build, &ALL);
    assert_eq!(left(&|_| ()), [true, false, false, false, false]);
    let unflushed = |checker: &mut Checker| {
        write(checker, 1);
        write(checker, 2);
    };
    assert_eq!(left(&unflushed), [true, true, true, false, false]);
    let flushed = |checker: &mut Checker| {
        write(checker, 1);
        write(checker, 2);
        flush(checker);
        write(checker, 3);
    };
    assert_eq!(left(&flushed), [false, false, true, true, false]);
    let fua = |checker: &mut Checker| {
        write(checker, 1);
        checker.write_begins(2, 7, 1, stamp(2));
        checker.write_answered(2, true);
        checker.write_begins(3, 7, 1, stamp(3));
    };
    assert_eq!(left(&fua), [false, false, true, true, false]);
}

#[test]
fn a_flush_covers_what_was_answered_before_it_began() {
    let late = |checker: &mut Checker| {
        write(checker, 1);
        checker.write_begins(2, 7, 1, stamp(2));
        checker.begins(1000);
        checker.write_answered(2, false);
        checker.flush_answered(1000);
    };
    assert_eq!(may_be_left(&late, &ALL), [false, true, true, false, false]);
}

#[test]
fn writes_at_once_settle_either_way_but_only_once() {
    let mut checker = Checker::new();
    checker.write_begins(1, 7, 1, stamp(1));
    checker.write_begins(2, 7, 1, stamp(2));
    checker.write_answered(2, false);
    checker.write_answered(1, false);
    flush(&mut checker);
    checker.crash();
    assert!(checker.settle(7, &block(stamp(2))).is_empty());
    checker.crash();
    let flipped = checker.settle(7, &block(stamp(1)));
    assert_eq!(flipped[0].legal, [stamp(2)]);
    assert!(checker.settle(7, &block(stamp(2))).is_empty());
}

#[test]
fn reads_see_what_was_answered_before_or_is_under_way() {
    let mut checker = Checker::new();
    write(&mut checker, 1);
    write(&mut checker, 2);
    checker.write_begins(3, 7, 1, stamp(3));
    let legal: Vec<bool> = ALL
        .into_iter()
        .map(|content| {
            checker.begins(50);
            checker.read_answered(50, 7, &block(content)).is_empty()
        })
        .collect();
    assert_eq!(legal, [false, false, true, true, false]);
    checker.write_refused(3);
    checker.begins(51);
    assert_eq!(checker.read_answered(51, 7, &block(stamp(3))).len(), 1);
    // A block that is another's is torn, whatever its stamp.
    assert_eq!(content_of(8, &stamped(2, 7)), Content::Torn);
}
