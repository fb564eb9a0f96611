//! Which limits are refused, and in which words.

use super::{Config, ConfigError, least_quota_bytes};

#[test]
fn two_items_must_fit() {
    assert_eq!(Config::check(2 << 20, 1 << 20), Ok(()));
    let error = Config::check((2 << 20) - 1, 1 << 20).expect_err("too small");
    let text = error.to_string();
    assert!(
        text.contains("2097151") && text.contains("give at least 2MiB"),
        "{text}"
    );
}

#[test]
fn item_sizes_have_bounds() {
    for size in [0, 1023, (1 << 30) + 1, u32::MAX] {
        let error = Config::check(u64::MAX, size).expect_err("out of range");
        assert!(matches!(error, ConfigError::ItemSize { .. }));
        assert!(error.to_string().contains("1KiB to 1GiB"), "{error}");
    }
}

#[test]
fn tiny_quotas_are_refused() {
    assert_eq!(Config::check(256 << 10, 1024), Ok(()));
    assert!(Config::check(255 << 10, 1024).is_err());
}

#[test]
fn the_least_quota_is_what_is_accepted() {
    let cases = [
        (1024, 256 << 10),
        (128 << 10, 256 << 10),
        (1 << 20, 2 << 20),
    ];
    for (item_size_max, least) in cases {
        assert_eq!(least_quota_bytes(item_size_max), least);
        assert_eq!(Config::check(least, item_size_max), Ok(()));
        let text = Config::check(least - 1, item_size_max)
            .expect_err("too small")
            .to_string();
        assert!(text.contains("give at least"), "{text}");
    }
}
