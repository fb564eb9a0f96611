//! The one place where time is read.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base::Timestamp;

/// Reads the monotonic clock and tells it as time since the Unix epoch.
///
/// The wall clock is read once, when the clock is made: later steps of it move nothing here.
/// Copies agree with each other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    start_unix: Duration,
}

impl Clock {
    /// A clock anchored at the wall clock's present time.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the replacement that the rule names"
    )]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            start_unix: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        Timestamp::ZERO + (self.start_unix + self.start.elapsed())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
