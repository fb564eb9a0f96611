//! Tells the service manager that we live, as long as we do (sd_notify(3), `WatchdogSec=`).

use std::time::Duration;

use base::Timestamp;
use sd_notify::NotifyState;

/// When the service manager is to be told next.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// After half of the time in which it must hear of us; `None` if it does not listen.
    period: Option<Duration>,
    next: Timestamp,
}

impl Watchdog {
    /// As the environment says.
    pub(super) fn new() -> Self {
        Self {
            period: sd_notify::watchdog_enabled().map(|limit| limit / 2),
            next: Timestamp::ZERO,
        }
    }

    /// Tells it, if it is time and the service `lives`. One that does not is killed and started
    /// again after a while.
    pub(super) fn feed(&mut self, now: Timestamp, lives: bool) {
        let Some(period) = self.period else {
            return;
        };
        if !lives || now < self.next {
            return;
        }
        self.next = now + period;
        if let Err(error) = sd_notify::notify(&[NotifyState::Watchdog]) {
            tracing::warn!(%error, "the service manager's watchdog was not fed");
        }
    }
}
