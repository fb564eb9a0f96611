//! Tests of which versions go together.

use super::{Hello, agree};
use crate::testing::{bytes_of, read_in_pieces};
use crate::wire::{Header, Put, frame, kind};
use crate::{Message, VERSION, VERSION_LEAST};

fn hello(least: u16, max: u16) -> Hello {
    Hello {
        version_max: max,
        version_least: least,
        instance: 1,
        connection: 4,
        epoch: 2,
        credits: 3,
        name: "n".to_owned(),
    }
}

#[test]
fn the_newest_version_that_both_speak_is_chosen() {
    assert_eq!(agree(&hello(VERSION_LEAST, VERSION)), Ok(VERSION));
    assert_eq!(agree(&hello(1, VERSION + 5)), Ok(VERSION));
    assert_eq!(agree(&hello(VERSION, u16::MAX)), Ok(VERSION));
}

#[test]
fn versions_that_do_not_meet_are_told_with_the_remedy() {
    let newer = agree(&hello(VERSION + 1, VERSION + 2)).unwrap_err();
    assert_eq!(newer.theirs, (VERSION + 1, VERSION + 2));
    assert!(newer.to_string().contains("upgrade the older"));
    assert!(agree(&hello(0, VERSION_LEAST - 1)).is_err());
}

#[test]
fn what_a_later_version_adds_is_skipped() {
    let mut bytes = bytes_of(&Message::Hello(hello(1, 9)));
    let header = Header {
        kind: kind::HELLO,
        code: 0,
        a: 0,
        b: 0,
        id: 0,
    };
    let mut longer = Vec::new();
    frame(&mut longer, header, |out| {
        out.extend_from_slice(&bytes[16..]);
        out.put_u64(77);
    });
    assert_eq!(read_in_pieces(&longer, 5), read_in_pieces(&bytes, 5));
    // A stranger's greeting has another beginning.
    bytes[16] ^= 1;
    assert!(read_in_pieces(&bytes, 5).is_err());
}

#[test]
fn a_name_that_is_too_long_is_cut() {
    let mut long = hello(1, 1);
    long.name = "x".repeat(300);
    let mut cut = hello(1, 1);
    cut.name = "x".repeat(255);
    let (long, cut) = (Message::Hello(long), Message::Hello(cut));
    assert_eq!(bytes_of(&long), bytes_of(&cut));
}
