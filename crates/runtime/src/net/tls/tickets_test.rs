//! Whose tickets are opened, and for how long.

use std::cell::Cell;

use super::*;

thread_local! {
    static NOW_S: Cell<u64> = const { Cell::new(1_000_000) };
}

fn now_s() -> u64 {
    NOW_S.get()
}

fn pass(hours: u64) {
    NOW_S.set(NOW_S.get() + hours * 3600);
}

fn tickets() -> Tickets {
    Tickets::new(now_s).unwrap()
}

#[test]
fn a_ticket_is_opened_by_its_maker_alone_and_only_whole() {
    let own = tickets();
    let ticket = own.encrypt(b"session").unwrap();
    assert_eq!(own.decrypt(&ticket).unwrap(), b"session");
    assert_ne!(own.encrypt(b"session").unwrap(), ticket, "nonces differ");
    assert_eq!(tickets().decrypt(&ticket), None);
    for at in 0..ticket.len() {
        let mut forged = ticket.clone();
        forged[at] ^= 1;
        assert_eq!(own.decrypt(&forged), None, "{at}");
        assert_eq!(own.decrypt(&ticket[..at]), None, "{at}");
    }
}

#[test]
fn a_ticket_is_good_for_six_hours_at_least_and_twelve_at_most() {
    let own = tickets();
    let first = own.encrypt(b"first").unwrap();
    pass(6);
    let second = own.encrypt(b"second").unwrap();
    assert_eq!(own.decrypt(&first).unwrap(), b"first");
    pass(6);
    assert_eq!(own.decrypt(&first), None);
    assert_eq!(own.decrypt(&second).unwrap(), b"second");
    pass(12);
    assert_eq!(own.decrypt(&second), None);
}

#[test]
fn a_successor_opens_its_predecessor_s_and_goes_on_with_its_keys() {
    let old = tickets();
    let before = old.encrypt(b"before").unwrap();
    pass(6);
    let after = old.encrypt(b"after").unwrap();
    let new = Tickets::inherited(old.hand_over(Some(b"ca")).unwrap(), Some(b"ca"), now_s).unwrap();
    assert_eq!(new.decrypt(&before).unwrap(), b"before");
    assert_eq!(new.decrypt(&after).unwrap(), b"after");
    assert_eq!(old.decrypt(&new.encrypt(b"new").unwrap()).unwrap(), b"new");
}

#[test]
fn under_other_authorities_nothing_is_inherited() {
    let old = tickets();
    for (theirs, ours) in [
        (Some(&b"ca"[..]), None),
        (None, Some(&b"ca"[..])),
        (Some(b"ca"), Some(b"other")),
    ] {
        let handed = old.hand_over(theirs).unwrap();
        assert!(Tickets::inherited(handed, ours, now_s).is_none());
    }
    let empty = memfd_create("none", MemfdFlags::CLOEXEC).unwrap();
    assert!(Tickets::inherited(empty, None, now_s).is_none());
}
