//! From where on the public is told without anybody's click.

use std::time::Duration;

/// When a draft is published without anybody's click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// From this confidence on what some clients are not served for, in percent.
    pub major_percent: u8,
    /// From this on what only makes them wait.
    pub minor_percent: u8,
    /// Whether anything is published at all without a click.
    pub is_automatic: bool,
    /// How long all must be well before an incident is resolved.
    pub calm: Duration,
}

impl Default for Bar {
    fn default() -> Self {
        Self {
            major_percent: 80,
            minor_percent: 90,
            is_automatic: true,
            calm: Duration::from_secs(12),
        }
    }
}
