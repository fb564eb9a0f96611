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
            recache_below_s: Some(30),
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
