//! Tokens name one thing, once.

use super::Slab;

#[test]
fn things_are_found_by_their_token() {
    let mut slab = Slab::new();
    let (one, two) = (
        slab.insert("one").expect("room"),
        slab.insert("two").expect("room"),
    );
    assert_eq!(slab.get_mut(one), Some(&mut "one"));
    assert_eq!(slab.tokens(|thing| *thing == "two"), [two]);
    assert_eq!(slab.remove(one), Some("one"));
    assert_eq!(slab.remove(one), None);
    assert_eq!(slab.get_mut(one), None);
    assert_eq!(slab.things().collect::<Vec<_>>(), [&"two"]);
}

#[test]
fn a_token_is_not_given_again_with_its_place() {
    let mut slab = Slab::new();
    let mut given = std::collections::HashSet::new();
    for number in 0..1000 {
        let token = slab.insert(number).expect("room");
        assert!(token != 0 && token >> 56 == 0);
        assert!(given.insert(token));
        assert_eq!(token as u32, 0, "the place is used again");
        slab.remove(token);
        assert_eq!(slab.get_mut(token), None);
    }
}

#[test]
fn made_up_tokens_name_nothing() {
    let mut slab = Slab::new();
    slab.insert(1).expect("room");
    for token in [0, 1, u64::MAX, 1 << 32 | 7, 2 << 32] {
        assert_eq!(slab.get_mut(token), None);
        assert_eq!(slab.remove(token), None);
    }
}
