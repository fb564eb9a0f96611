//! What a tenant's cache is told at its start, and which of it is refused.

use std::fmt;

use base::ByteSize;
use base::kv::ITEM_SIZE_MAX;

/// The smallest item size that may be configured: 1 KiB.
const ITEM_SIZE_LEAST: u32 = 1024;

/// The smallest quota whatever the item size: 256 KiB.
const QUOTA_LEAST: u64 = 256 * 1024;

/// The smallest quota in bytes of a cache with items of at most `item_size_max` bytes: two items,
/// so that one can replace another, and never less than 256 KiB.
pub fn least_quota_bytes(item_size_max: u32) -> u64 {
    (2 * u64::from(item_size_max)).max(QUOTA_LEAST)
}

/// What a tenant's cache is given.
#[derive(Clone, Debug)]
pub struct Config {
    /// Bytes that it may hold: segments, index and the memory of evicted keys.
    pub quota_bytes: u64,
    /// The largest item in bytes, key and header included, as memcached counts it.
    pub item_size_max: u32,
    /// The secret key of the tenant's hash; random, so that no one can aim collisions.
    pub hash_key: [u8; 16],
    /// All CAS tokens are above it; `None` for one that no earlier life of the cache has come to.
    pub cas_after: Option<u64>,
}

impl Config {
    /// Whether this quota and item size go together.
    pub(crate) fn check(quota_bytes: u64, item_size_max: u32) -> Result<(), ConfigError> {
        if !(ITEM_SIZE_LEAST..=ITEM_SIZE_MAX).contains(&item_size_max) {
            return Err(ConfigError::ItemSize { item_size_max });
        }
        if quota_bytes < least_quota_bytes(item_size_max) {
            return Err(ConfigError::QuotaTooSmall {
                quota_bytes,
                item_size_max,
            });
        }
        Ok(())
    }
}

/// Why a configuration is refused; the text names the value and the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The quota does not hold one item while a second replaces it.
    QuotaTooSmall {
        /// The quota asked for, in bytes.
        quota_bytes: u64,
        /// The item size that it would have to hold twice, in bytes.
        item_size_max: u32,
    },
    /// The item size is out of range.
    ItemSize {
        /// The item size asked for, in bytes.
        item_size_max: u32,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::QuotaTooSmall {
                quota_bytes,
                item_size_max,
            } => write!(
                f,
                "memory quota {} is too small for items of {}: give at least {}",
                ByteSize(quota_bytes),
                ByteSize(u64::from(item_size_max)),
                ByteSize(least_quota_bytes(item_size_max)),
            ),
            Self::ItemSize { item_size_max } => write!(
                f,
                "item size {} is out of range: give {} to {}",
                ByteSize(u64::from(item_size_max)),
                ByteSize(u64::from(ITEM_SIZE_LEAST)),
                ByteSize(u64::from(ITEM_SIZE_MAX)),
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
#[path = "config_test.rs"]
mod tests;
