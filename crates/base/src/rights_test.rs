//! Tests of rights as text.

use super::Rights;

#[test]
fn every_set_reads_back_as_itself() {
    for bits in 0..8 {
        let rights = Rights {
            read: bits & 1 != 0,
            write: bits & 2 != 0,
            flush: bits & 4 != 0,
        };
        assert_eq!(rights.to_string().parse(), Ok(rights));
    }
}

#[test]
fn names_are_written_in_one_order() {
    assert_eq!(Rights::ALL.to_string(), "read,write,flush");
    assert_eq!(Rights::NONE.to_string(), "none");
    let some = Rights {
        write: false,
        ..Rights::ALL
    };
    assert_eq!(some.to_string(), "read,flush");
}

#[test]
fn names_are_read_in_any_order_with_spaces() {
    for text in [
        "flush,read,write",
        " read , write,flush ",
        "read,read,write,flush",
    ] {
        assert_eq!(text.parse(), Ok(Rights::ALL), "{text}");
    }
    let read = Rights {
        read: true,
        ..Rights::NONE
    };
    assert_eq!("none,read".parse(), Ok(read), "none adds nothing");
}

#[test]
fn an_unknown_name_is_refused_and_named() {
    for (text, name) in [
        ("", "\"\""),
        ("read,", "\"\""),
        ("Read", "\"Read\""),
        ("read;write", "\"read;write\""),
        ("read,admin", "\"admin\""),
    ] {
        let error = text.parse::<Rights>().expect_err(text);
        assert!(error.contains(name), "{error}");
        assert!(error.contains("give read, write and flush"), "{error}");
    }
}
