//! How a node fares, in the order of how bad that is.

use fleet::membership::Event;

use super::testing::{NOW, node, standing};
use super::*;

fn after(event: Event) -> NodeReading {
    testing::after("a", event)
}

#[test]
fn every_state_has_its_place_between_well_and_gone() {
    assert_eq!(Heat::of(&node("a")), Heat::Well);
    assert_eq!(Heat::of(&after(Event::Suspected)), Heat::Suspect);
    assert_eq!(Heat::of(&after(Event::Condemned)), Heat::Ejected);
    assert_eq!(Heat::of(&after(Event::Drain)), Heat::Drained);
    assert_eq!(Heat::of(&standing("a", Standing::new(NOW))), Heat::Entering);
    assert!(Heat::Well < Heat::Suspect && Heat::Suspect < Heat::Gone);
}

#[test]
fn a_score_warms_a_node_that_serves_and_no_other() {
    let scored = |score| {
        let evidence = Vec::new();
        Some(NodeCase { score, evidence })
    };
    let serving = |score| NodeReading {
        case: scored(score),
        ..node("a")
    };
    let heats = [1.0, 3.0, 9.0].map(|score| Heat::of(&serving(score)));
    assert_eq!(heats, [Heat::Well, Heat::Warm, Heat::Hot]);
    let ejected = NodeReading {
        case: scored(3.0),
        ..after(Event::Condemned)
    };
    assert_eq!(Heat::of(&ejected), Heat::Ejected);
}

#[test]
fn who_does_not_answer_is_gone_unless_he_was_taken_out() {
    let silent = |node: NodeReading| NodeReading {
        is_heard: false,
        ..node
    };
    assert_eq!(Heat::of(&silent(node("a"))), Heat::Gone);
    assert_eq!(Heat::of(&silent(after(Event::Drain))), Heat::Drained);
    let lapsed = NodeReading {
        is_alive: false,
        ..node("a")
    };
    assert_eq!(Heat::of(&lapsed), Heat::Gone);
}

#[test]
fn numbers_of_the_history_mean_what_they_did() {
    for heat in Heat::ALL {
        assert_eq!(Heat::of_number(heat.number()), Some(heat));
    }
    assert_eq!(Heat::of_number(f32::NAN), None);
    assert_eq!(Heat::of_number(99.0), None);
}
