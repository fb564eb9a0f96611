//! Which limits are refused, and in which words.

use super::{Config, ConfigError};

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
