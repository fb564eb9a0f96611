//! How a server ends: when that is, and how its connections are let go.

use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use runtime::Clock;
use sd_notify::NotifyState;

use crate::control::Control;
use crate::failure::Failure;
use crate::plane::{DataPlane, RunningPlane};
use crate::reload::Reloader;
use crate::upgrade::Upgrader;

/// How often it is looked whether it is time.
pub(super) const CHECK_PERIOD: Duration = Duration::from_millis(100);
/// How often it is tried again to save what the disk had no room for.
const SAVE_PERIOD: Duration = Duration::from_secs(2);

/// Until a stop is asked for, until a successor serves, or until nobody serves any more; meanwhile
/// saves what could not be saved before.
pub(super) fn wait(
    stop: &mpsc::Receiver<()>,
    running: &dyn RunningPlane,
    upgrader: &Upgrader,
    keeper: &Control,
    clock: Clock,
) -> Result<(), Failure> {
    let mut next_save = clock.now() + SAVE_PERIOD;
    while stop.recv_timeout(CHECK_PERIOD) == Err(RecvTimeoutError::Timeout) {
        if upgrader.is_handed_over() {
            return Ok(());
        }
        if clock.now() >= next_save {
            keeper.save_ends();
            next_save = clock.now() + SAVE_PERIOD;
        }
        if running.has_failed() {
            return Err(Failure::new(
                "the event loops have ended: look at the log above, and start again",
            ));
        }
    }
    Ok(())
}

/// Until all connections are let go, there is no time any more, or a signal cuts it short.
pub(super) fn let_go(
    plane: &dyn DataPlane,
    stop: &mpsc::Receiver<()>,
    has_time: impl Fn() -> bool,
) {
    while has_time()
        && plane.totals().connections > 0
        && stop.recv_timeout(CHECK_PERIOD) == Err(RecvTimeoutError::Timeout)
    {}
}

/// Lets clients finish what they have begun, and ends.
pub(super) fn drain(running: &mut dyn RunningPlane, reloader: &Reloader) {
    let timeout = reloader.drain_timeout();
    tracing::info!(?timeout, "draining; a second signal stops at once");
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    running.drain(timeout);
    tracing::info!("stopped");
}
