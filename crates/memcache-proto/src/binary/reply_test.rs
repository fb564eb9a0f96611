//! Tests of binary answers that no conversation of the other tests comes to.

use base::kv::{Outcome, StoreMode};

use super::super::header::{Header, Status, opcode};
use super::{Form, Kind, outcome, stat, status};

fn form(opcode: u8, kind: Kind) -> Form {
    let header = Header {
        opcode,
        key_len: 0,
        extras_len: 0,
        body_len: 0,
        opaque: 9,
        cas: 0,
    };
    Form::new(&header, kind)
}

#[test]
fn each_outcome_has_a_status() {
    let set = Kind::Store(StoreMode::Set);
    for (kind, what, expected) in [
        (set, Outcome::TooLarge, Status::TooLarge),
        (set, Outcome::OutOfMemory, Status::OutOfMemory),
        (set, Outcome::NotStored, Status::NotStored),
        (
            Kind::Store(StoreMode::Add),
            Outcome::NotStored,
            Status::KeyExists,
        ),
        (
            Kind::Store(StoreMode::Replace),
            Outcome::NotStored,
            Status::KeyNotFound,
        ),
        (Kind::Plain, Outcome::Denied, Status::NoAccess),
        (Kind::Plain, Outcome::Hit, Status::InternalError),
    ] {
        assert_eq!(status(kind, what), expected);
    }
}

#[test]
fn errors_are_not_quiet_and_carry_their_text() {
    let mut out = Vec::new();
    outcome(
        &form(opcode::SETQ, Kind::Store(StoreMode::Set)),
        b"a",
        Outcome::OutOfMemory,
        &mut out,
    );
    assert_eq!(&out[6..8], [0, 0x82]);
    assert_eq!(&out[12..16], [0, 0, 0, 9]);
    assert_eq!(&out[24..], b"Out of memory");
}

#[test]
fn a_name_too_long_for_a_statistic_is_left_out() {
    let mut out = Vec::new();
    stat(
        &form(opcode::STAT, Kind::Plain),
        &[b'n'; 70_000],
        b"1",
        &mut out,
    );
    assert!(out.is_empty());
}

#[test]
fn silence_is_silent() {
    let mut out = Vec::new();
    super::answer(&Form::silent(), &mut out);
    outcome(&Form::silent(), b"", Outcome::Denied, &mut out);
    assert!(out.is_empty());
}
