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
fn only_what_the_cap_refuses_can_be_done_all_the_same_and_only_once_it_has_refused() {
    let too_many = ChangeError::Refused(Refused::TooMany {
        name: "a".to_owned(),
        members: 4,
        most: 1,
        out: "b is ejected".to_owned(),
    });
    let (deed, told) = NodeDeed::Eject.all_the_same(&too_many).unwrap();
    assert_eq!(deed.act(), Act::Eject { force: true });
    let bound = "Of 4 nodes no more than 1 may be out at once";
    assert!(
        told.contains(bound) && told.contains("b is ejected"),
        "{told}"
    );
    assert_eq!(deed.all_the_same(&too_many), None);
    assert_eq!(NodeDeed::Drain.all_the_same(&too_many), None);
    let last = ChangeError::Refused(Refused::Last {
        name: "a".to_owned(),
        done: "ejected",
        others: String::new(),
    });
    assert_eq!(NodeDeed::Eject.all_the_same(&last), None);
    let beside = NodeDeed::possible(&Standing::founder(NOW), NOW);
    assert!(!beside.contains(&NodeDeed::ForceEject), "{beside:?}");
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
