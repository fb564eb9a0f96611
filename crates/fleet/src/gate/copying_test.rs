//! Tests of who is sent copies.

use base::Timestamp;

use super::*;
use crate::membership::Event;

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn fleet(serving: u32, in_shadow: &[u32]) -> BTreeMap<MemberId, Standing> {
    let serving = (1..=serving).map(|id| (MemberId(id), Standing::founder(T0)));
    let passed = Standing::new(T0).after(Event::Passed, T0).unwrap();
    let in_shadow = in_shadow.iter().map(|id| (MemberId(*id), passed));
    serving.chain(in_shadow).collect()
}

#[test]
fn who_has_passed_is_sent_a_part_of_what_one_node_is_asked() {
    let copying = Copying::of(&fleet(5, &[7, 9]), 5.0);
    assert_eq!(copying.nodes, [MemberId(7), MemberId(9)]);
    // A twentieth of a fifth.
    assert_eq!(copying.part_ppm, 10_000);
    assert_eq!(Copying::of(&fleet(1, &[7]), 5.0).part_ppm, 50_000);
}

#[test]
fn nobody_is_sent_anything_without_need() {
    let nothing = Copying::default();
    assert_eq!(Copying::of(&fleet(5, &[]), 5.0), nothing);
    assert_eq!(Copying::of(&fleet(0, &[7]), 5.0), nothing);
    assert_eq!(Copying::of(&fleet(5, &[7]), 0.0), nothing);
    let mut nodes = fleet(5, &[7]);
    nodes.insert(MemberId(8), Standing::new(T0));
    let later = T0 + std::time::Duration::from_secs(10);
    let ramping = nodes[&MemberId(7)].after(Event::Held, later).unwrap();
    nodes.insert(MemberId(7), ramping);
    assert_eq!(Copying::of(&nodes, 5.0), nothing);
}
