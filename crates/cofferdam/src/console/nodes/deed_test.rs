//! What is said before something is done to a node.

use fleet::membership::Event;

use super::*;
use crate::observe::nodes::testing::{NOW, standing as node};

#[test]
fn every_deed_is_found_by_its_name_and_no_other() {
    for deed in NodeDeed::ALL {
        assert_eq!(NodeDeed::named(deed.name()), Some(deed));
    }
    assert_eq!(NodeDeed::named("remove"), None);
}

#[test]
fn the_last_node_that_serves_is_not_taken_out_unwarned() {
    let founder = Standing::founder(NOW);
    let drained = founder.after(Event::Drain, NOW).unwrap();
    let (a, b) = (node("a", founder), node("b", drained));
    let alone = NodeDeed::Drain.consequence(&a, &[a.clone(), b]);
    assert!(alone.contains("NO OTHER NODE"), "{alone}");
    let two = [a.clone(), node("b", founder)];
    let both = NodeDeed::Eject.consequence(&a, &two);
    assert!(
        both.contains("1024 of 4096") && both.contains("1 serve"),
        "{both}"
    );
}

#[test]
fn who_never_served_has_the_gate_before_him() {
    let drained = |standing: Standing| standing.after(Event::Drain, NOW).unwrap();
    let told = |standing| NodeDeed::Readmit.consequence(&node("a", drained(standing)), &[]);
    assert!(told(Standing::new(NOW)).contains("gate"));
    assert!(told(Standing::founder(NOW)).contains("step by step"));
}
