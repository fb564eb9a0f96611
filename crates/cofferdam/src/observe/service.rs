//! What a service manager is told (sd_notify(3)) beside ready and stopping: that we live, and reload.

use std::time::Duration;

use base::Timestamp;
use sd_notify::NotifyState;

/// Says that a reload begins, and when it is dropped that it is over, whatever came of it
/// (`Type=notify-reload`).
#[derive(Debug)]
pub(crate) struct Reloading(());

impl Reloading {
    pub(crate) fn begin() -> Self {
        // The manager tells by the time which reload this is.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
        Self(())
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        tell(&[NotifyState::Ready]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, ?state, "the service manager was not told");
    }
}

/// When the service manager is to be told next.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// After half of the time in which it must hear of us; `None` if it does not listen.
    period: Option<Duration>,
    next: Timestamp,
}

impl Watchdog {
    /// As the environment says.
    pub(crate) fn new() -> Self {
        Self {
            period: sd_notify::watchdog_enabled().map(|limit| limit / 2),
            next: Timestamp::ZERO,
        }
    }

    /// Tells it, if it is time and the service `lives`. One that does not is killed and started
    /// again after a while.
    pub(crate) fn feed(&mut self, now: Timestamp, lives: bool) {
        let Some(period) = self.period else {
            return;
        };
        if !lives || now < self.next {
            return;
        }
        self.next = now + period;
        tell(&[NotifyState::Watchdog]);
    }
}
