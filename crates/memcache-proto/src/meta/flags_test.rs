//! Tests of the flags.

use base::kv::Expiry;

use super::Flags;
use crate::testing::NOW;
use crate::text::errors;

fn read(text: &str) -> Result<Flags, &'static [u8]> {
    Flags::read(text.as_bytes(), 2, NOW)
}

#[test]
fn every_known_flag_is_read() {
    let flags = read("b v q u I x k s t c f l h Oabc P L T10 N20 R30 F1 C2 E3 MA J4 D5");
    assert_eq!(flags, Err(errors::TOO_MANY_FLAGS));
    let flags = read(" b v q  u I x T10 N20 R30 F1 C2 E3 MA J4 D5 ").expect("flags");
    assert_eq!(
        flags,
        Flags {
            base64: true,
            value: true,
            quiet: true,
            peek: true,
            invalidate: true,
            clear_value: true,
            ttl: Some(Expiry::at_unix_secs(1_800_000_010)),
            vivify: Some(Expiry::at_unix_secs(1_800_000_020)),
            vivify_first: false,
            recache_below_s: Some(30),
            touch_first: true,
            expiry_before: false,
            client_flags: 1,
            compare_cas: Some(2),
            new_cas: Some(3),
            mode: Some(b'A'),
            initial: 4,
            delta: Some(5),
        }
    );
    assert_eq!(read("k s t c f l h Oabc Pa La"), Ok(Flags::default()));
    assert_eq!(read(""), Ok(Flags::default()));
}

#[test]
fn a_flag_that_is_none_is_refused() {
    for text in ["z", "W", "X", "Z", "S2", "1", "_", "v B"] {
        assert_eq!(read(text), Err(errors::INVALID_FLAG), "{text}");
    }
    for text in ["-", "\u{e9}", "v ~", "\0", "{"] {
        assert_eq!(read(text), Err(errors::BAD_FORMAT), "{text}");
    }
}

#[test]
fn a_flag_given_twice_is_refused() {
    for text in ["v v", "T1 T2", "Oa v Ob"] {
        assert_eq!(read(text), Err(errors::DUPLICATE_FLAG), "{text}");
    }
}

#[test]
fn a_token_must_be_a_number() {
    for text in [
        "T",
        "Tx",
        "N1x",
        "R99999999999",
        "C-1",
        "E",
        "C18446744073709551616",
    ] {
        assert_eq!(read(text), Err(errors::BAD_TOKEN), "{text}");
    }
    for text in ["F", "F-1", "F4294967296"] {
        assert_eq!(read(text), Err(errors::BAD_FORMAT), "{text}");
    }
}

/// Each was asked of memcached 1.6.45.
#[test]
fn of_several_mistakes_one_is_told() {
    let long = "O".to_owned() + &"x".repeat(40);
    for (text, line) in [
        ("Dx", errors::BAD_DELTA_FLAG),
        ("D-1", errors::BAD_DELTA_FLAG),
        ("D+1", errors::BAD_DELTA_FLAG),
        ("J", errors::BAD_INITIAL_FLAG),
        ("Dx Jx", errors::BAD_INITIAL_FLAG),
        ("Jx Dx", errors::BAD_DELTA_FLAG),
        ("Dx y Jx", errors::INVALID_FLAG),
        ("Dx k k Jx", errors::DUPLICATE_FLAG),
        ("k k y", errors::DUPLICATE_FLAG),
        ("Dx Fx", errors::BAD_DELTA_FLAG),
        ("Fx Dx", errors::BAD_DELTA_FLAG),
        ("Tx Fx", errors::BAD_TOKEN),
        (&format!("{long} Dx"), errors::BAD_DELTA_FLAG),
        (&format!("Dx {long}"), errors::BAD_DELTA_FLAG),
    ] {
        assert_eq!(read(text), Err(line), "{text}");
    }
}

#[test]
fn it_is_noted_which_flags_stand_before_which() {
    let read = |text| read(text).expect(text);
    for (text, touch_first) in [("T1 R1", true), ("R1 T1", false), ("R1", false)] {
        assert_eq!(read(text).touch_first, touch_first, "{text}");
    }
    for (text, expiry_before) in [
        ("t T1", true),
        ("t v N1", true),
        ("t N1 T1", true),
        ("T1 t", false),
        ("N1 t", false),
        ("T1 N1 t", false),
        ("t", false),
    ] {
        assert_eq!(read(text).expiry_before, expiry_before, "{text}");
    }
    for (text, end) in [("N10 T20", 20), ("T20 N10", 10), ("N10", 10)] {
        let end = Expiry::at_unix_secs(1_800_000_000 + end);
        assert_eq!(read(text).end_of_new(), Some(end), "{text}");
    }
    assert_eq!(read("T10").end_of_new(), None);
}

#[test]
fn an_opaque_is_at_most_32_bytes_with_its_letter() {
    let longest = "O".to_owned() + &"x".repeat(31);
    assert_eq!(read(&longest), Ok(Flags::default()));
    assert_eq!(read(&(longest + "x")), Err(errors::OPAQUE_TOO_LONG));
}

#[test]
fn there_are_at_most_20_words() {
    let flags = "b v q u I x k s t c f l h Oa Pa La T1 N1";
    assert!(read(flags).is_ok());
    assert_eq!(read(&format!("{flags} R1")), Err(errors::TOO_MANY_FLAGS));
}
