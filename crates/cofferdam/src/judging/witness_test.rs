//! A gateway that stood still says nothing of its nodes.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

fn tallies(took: Duration) -> BTreeMap<MemberId, NodeTallies> {
    let of_node = |node| {
        let mut tallies = NodeTallies::default();
        for _ in 0..100 {
            tallies[Class::Read.index()].answered(took, Some(Duration::ZERO), 10);
        }
        (MemberId(node), tallies)
    };
    (1..=4).map(of_node).collect()
}

#[test]
fn what_was_measured_while_the_process_stood_still_is_no_word_of_any_node() {
    let mut witness = Witness::new(START, MemberId(101), Limits::default());
    let standings = (1..=4).map(|node| (MemberId(node), Standing::founder(START)));
    let standings: BTreeMap<_, _> = standings.collect();
    let mut now = START;
    let mut round = |now: Timestamp, took_ms: u64| {
        witness.know(now, &standings);
        witness.round(now, tallies(Duration::from_millis(took_ms)))
    };
    for _ in 0..20 {
        now = now + ROUND;
        let ballot = round(now, 1).unwrap();
        assert_eq!(ballot.observer, MemberId(101));
    }
    now = now + Duration::from_secs(3);
    assert_eq!(round(now, 3000), None);
    let until = now + REST;
    while now + ROUND < until {
        now = now + ROUND;
        assert_eq!(round(now, 3000), None);
    }
    now = now + ROUND;
    let ballot = round(now, 1).unwrap();
    // Nothing of it is left.
    assert_eq!(ballot.shift, fleet::judge::Score::CLEAR);
    assert_eq!(ballot.opinions.len(), 4);
}
