//! Values read the same from strings and numbers, and say what they expect.

use super::*;

#[derive(serde::Deserialize)]
struct Holder<T> {
    v: T,
}

fn read<T: for<'de> Deserialize<'de>>(value: &str) -> Result<T, String> {
    toml::from_str::<Holder<T>>(&format!("v = {value}"))
        .map(|holder| holder.v)
        .map_err(|e| e.message().to_owned())
}

#[test]
fn sizes_are_strings_or_numbers() {
    assert_eq!(read::<Size>("\"64MiB\"").unwrap().bytes(), 64 << 20);
    assert_eq!(read::<Size>("4096").unwrap().bytes(), 4096);
    for wrong in [
        "\"64MB\"",
        "-1",
        "\"\"",
        "1.5",
        "true",
        "\"99999999999TiB\"",
    ] {
        assert!(read::<Size>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn spans_need_a_unit() {
    assert_eq!(
        read::<Span>("\"1m 30s\"").unwrap().0,
        Duration::from_secs(90)
    );
    assert!(read::<Span>("5").unwrap_err().contains("500ms or 5s"));
}

#[test]
fn auto_and_off_stand_for_themselves() {
    assert_eq!(read::<Auto<u16>>("\"auto\"").unwrap(), Auto::Auto);
    assert_eq!(read::<Auto<u16>>("3").unwrap(), Auto::Is(3));
    assert!(
        read::<Auto<u16>>("\"many\"")
            .unwrap_err()
            .contains("\"auto\"")
    );
    assert_eq!(read::<Switch<Span>>("\"off\"").unwrap().value(), None);
    assert_eq!(
        read::<Switch<Addr>>("\"[::1]:1\"")
            .unwrap()
            .value()
            .unwrap()
            .0
            .port(),
        1
    );
    assert!(
        read::<Switch<Addr>>("\"localhost\"")
            .unwrap_err()
            .contains("\"off\"")
    );
}

#[test]
fn modes_are_octal() {
    assert_eq!(read::<FileMode>("\"0770\"").unwrap(), FileMode(0o770));
    assert_eq!(read::<FileMode>("0o600").unwrap(), FileMode(0o600));
    assert!(read::<FileMode>("600").unwrap_err().contains("0o600"));
    for wrong in ["\"0980\"", "\"7777\"", "\"rwx\""] {
        assert!(read::<FileMode>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn numbers_are_told_with_their_bounds() {
    for wrong in ["-3", "\"many\"", "100000"] {
        let error = read::<Auto<u16>>(wrong).unwrap_err();
        assert!(error.contains("whole number from 0 to 65535"), "{error}");
        assert!(error.contains(wrong.trim_matches('"')), "{error}");
    }
    assert!(
        read::<Span>("\"999999999999h\"")
            .unwrap_err()
            .contains("ten years")
    );
}
