//! Tests of sizes as text.

use super::ByteSize;

#[test]
fn the_largest_unit_that_divides_is_written() {
    for (bytes, text) in [
        (0, "0"),
        (1, "1"),
        (1023, "1023"),
        (1024, "1KiB"),
        (1025, "1025"),
        (1536, "1536"),
        (64 << 10, "64KiB"),
        (1 << 20, "1MiB"),
        ((1 << 20) + 1024, "1025KiB"),
        (2 << 30, "2GiB"),
        (3 << 40, "3TiB"),
        (1024 << 40, "1024TiB"),
        (u64::MAX, "18446744073709551615"),
    ] {
        assert_eq!(ByteSize(bytes).to_string(), text);
        assert_eq!(text.parse(), Ok(ByteSize(bytes)));
    }
}

#[test]
fn spaces_around_number_and_unit_are_allowed() {
    for text in ["100MiB", " 100MiB ", "100 MiB", "104857600"] {
        assert_eq!(text.parse(), Ok(ByteSize(100 << 20)), "{text:?}");
    }
}

#[test]
fn what_is_no_size_is_refused_with_a_remedy() {
    for text in [
        "", " ", "MiB", "-1", "1.5GiB", "10MB", "10M", "10mib", "10KiBKiB", "1 0", "ten", "0x10",
    ] {
        let error = text.parse::<ByteSize>().expect_err(text);
        assert!(error.starts_with(&format!("{text:?} is not a size")));
        assert!(error.contains("write bytes or a number with KiB"));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    assert_eq!("16777215TiB".parse(), Ok(ByteSize(16_777_215 << 40)));
    for text in [
        "16777216TiB",
        "18446744073709551616",
        "18014398509481984KiB",
    ] {
        assert!(text.parse::<ByteSize>().is_err(), "{text}");
    }
}

#[test]
fn sizes_are_ordered_by_their_bytes() {
    assert!(ByteSize(1025) > ByteSize(1024));
    assert_eq!(ByteSize::default(), ByteSize(0));
}
