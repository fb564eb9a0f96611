//! Who is out and how many may be.

use base::Timestamp;

use super::*;
use crate::membership::Event;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn after(events: &[Event]) -> Standing {
    let mut standing = Standing::founder(NOW);
    for event in events {
        standing = standing.after(*event, NOW).unwrap();
    }
    standing
}

fn cap(standings: &[Standing]) -> Cap {
    let numbers: Vec<MemberId> = (1..=standings.len() as u32).map(MemberId).collect();
    Cap::of(numbers.iter().zip(standings))
}

#[test]
fn a_tenth_and_one_at_least_may_be_out_but_never_all() {
    let serving = after(&[]);
    let most = |nodes: usize| cap(&vec![serving; nodes]).most;
    assert_eq!([0, 1, 2, 4, 19, 20, 300].map(most), [0, 0, 1, 1, 1, 2, 30]);
}

#[test]
fn who_is_tried_out_again_is_out_and_who_is_drained_or_new_does_not_count() {
    let ejected = after(&[Event::Condemned]);
    let probation = after(&[Event::Condemned, Event::Readmit]);
    let drained = after(&[Event::Drain]);
    let new = Standing::new(NOW);
    let cap = cap(&[ejected, probation, drained, new, after(&[]), after(&[])]);
    assert_eq!(cap.out, [MemberId(1), MemberId(2)]);
    assert_eq!((cap.members, cap.most, cap.room()), (4, 1, 0));
    assert!(Cap::counts(&after(&[Event::Suspected])));
    for takes_none in [ejected, probation, drained, new] {
        assert!(!Cap::counts(&takes_none), "{takes_none:?}");
    }
}
