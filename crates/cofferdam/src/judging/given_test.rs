//! What a gateway tells its witness of nodes' parts and weights.

use base::Timestamp;
use fleet::Weights;
use fleet::judge::{Class, Limits, ROUND};

use super::*;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);

#[test]
fn what_a_node_is_asked_is_told_for_its_part_of_the_ring() {
    let weights: Weights = [(MemberId(1), 100), (MemberId(2), 100), (MemberId(3), 200)].into();
    let ring = Ring::empty().propose(&weights).unwrap().unwrap();
    let mut given = Given::default();
    given.learn(Arc::new(ring.commit().unwrap()));
    let standings = (1..=3).map(|node| (MemberId(node), Standing::founder(START)));
    let standings: BTreeMap<_, _> = standings.collect();
    let mut witness = Witness::new(START, MemberId(101), Limits::default());
    let mut asked = Vec::new();
    for round in 1..=40 {
        let now = START + ROUND * round;
        witness.know(now, &standings);
        given.show(&mut witness, &standings, &Shares::new(), None);
        let tallies = [(1, 100), (2, 100), (3, 200)].map(|(node, count)| {
            let mut tallies = gateway::remote::NodeTallies::default();
            for _ in 0..count {
                let took = std::time::Duration::from_micros(300);
                tallies[Class::Read.index()].answered(took, Some(std::time::Duration::ZERO), 10);
            }
            (MemberId(node), tallies)
        });
        let ballot = witness.round(now, tallies.into()).unwrap();
        asked = ballot.opinions.iter().map(|it| it.asked_per_s).collect();
    }
    // The third is asked twice as much, and is to be.
    assert!((asked[0] / asked[2] - 1.0).abs() < 0.01, "{asked:?}");
}
