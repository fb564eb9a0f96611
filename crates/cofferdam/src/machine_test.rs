//! The machine's suggestions are within their bounds.

use super::*;

#[test]
fn memory_is_read_from_meminfo() {
    let meminfo = "MemTotal:       24576000 kB\nMemFree:  1 kB\n";
    assert_eq!(mem_total(meminfo), Some(24_576_000 * 1024));
    for wrong in [
        "",
        "MemTotal: x kB",
        "MemTotal: 1 MB",
        "MemTotal: 99999999999999999999 kB",
    ] {
        assert_eq!(mem_total(wrong), None, "{wrong}");
    }
}

#[test]
fn suggestions_are_within_bounds() {
    let cache = default_cache_bytes();
    assert!((64 << 20..=GIB).contains(&cache) && cache.is_multiple_of(1 << 20));
    assert!(cores() >= 1);
    assert!(default_connections_max() >= 1);
    assert!(data_dir().is_absolute());
}
