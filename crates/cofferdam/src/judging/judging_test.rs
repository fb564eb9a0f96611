//! What a node gets of its keys by where it stands, with and without a ring that can change.

use super::*;
use fleet::membership::Event;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn after(events: &[Event]) -> Standing {
    let mut standing = Standing::founder(START);
    for event in events {
        standing = standing.after(*event, START).unwrap();
    }
    standing
}

#[test]
fn where_the_ring_can_change_only_who_is_out_gets_nothing_here() {
    let standings = BTreeMap::from([
        (MemberId(1), after(&[])),
        (MemberId(2), after(&[Event::Suspected])),
        (MemberId(3), after(&[Event::Condemned])),
        (MemberId(4), after(&[Event::Condemned, Event::Readmit])),
        (MemberId(5), after(&[Event::Drain])),
    ]);
    assert_eq!(shares(&standings, false), Shares::from([(MemberId(3), 0)]));
    let alone = [(MemberId(3), 0), (MemberId(4), 10), (MemberId(5), 0)];
    assert_eq!(shares(&standings, true), Shares::from(alone));
}
