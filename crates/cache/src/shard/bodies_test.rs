//! Numbers of bodies, and the bytes of their tables.

use super::Bodies;
use crate::item::Extent;

#[test]
fn a_number_is_used_again_once_its_body_ended() {
    let mut bodies = Bodies::default();
    let first = bodies.begin().expect("memory");
    let second = bodies.begin().expect("memory");
    assert_ne!(first, second);
    bodies.end(first);
    assert_eq!(bodies.begin(), Some(first));
    assert_eq!(bodies.get(second).users, 1);
}

#[test]
fn growth_is_foretold_and_counted() {
    let mut bodies = Bodies::default();
    assert_eq!(bodies.bytes(), 0);
    for _ in 0..100 {
        let most = bodies.bytes() + bodies.growth_bytes();
        bodies.begin().expect("memory");
        assert!(bodies.bytes() <= most, "{} of {most}", bodies.bytes());
    }
}

#[test]
fn chunks_keep_their_numbers_while_the_body_grows_in_front() {
    let mut bodies = Bodies::default();
    let number = bodies.begin().expect("memory");
    bodies.get_mut(number).slots = vec![10, 11];
    let old = bodies.extent(number, 5);
    let body = bodies.get_mut(number);
    body.slots.insert(0, 9);
    body.first = body.first.wrapping_sub(1);
    let new = bodies.extent(number, 0);
    assert_eq!((bodies.slot(old, 0), bodies.slot(old, 1)), (10, 11));
    assert_eq!((bodies.slot(new, 0), bodies.slot(new, 2)), (9, 11));
    let Extent { first, .. } = old;
    bodies.moved(number, first, 20);
    assert_eq!((bodies.slot(old, 0), bodies.slot(new, 1)), (20, 20));
}
