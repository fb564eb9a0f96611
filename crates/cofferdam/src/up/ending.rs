//! How a server ends: when that is, and how its connections are let go.

use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use base::Timestamp;
use runtime::Clock;
use sd_notify::NotifyState;

use crate::control::Control;
use crate::failure::Failure;
use crate::plane::{DataPlane, RunningPlane};
use crate::reload::Reloader;
use crate::upgrade::Upgrader;

/// How often it is looked whether it is time.
pub(super) const CHECK_PERIOD: Duration = Duration::from_millis(100);
/// Loops tell how many keys are in doubt at least so often.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
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

/// Until all connections are let go and nodes owe nothing to what was answered on them, there is no time
/// any more, or a signal cuts it short.
pub(super) fn let_go(
    plane: &dyn DataPlane,
    stop: &mpsc::Receiver<()>,
    clock: Clock,
    has_time: impl Fn() -> bool,
) {
    let mut alone_since = None;
    while has_time() {
        let now = clock.now();
        match plane.totals().connections {
            0 if owes_nothing(plane, now, *alone_since.get_or_insert(now)) => return,
            0 => {}
            _ => alone_since = None,
        }
        if stop.recv_timeout(CHECK_PERIOD) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Whether no node has yet to remove what a client was told is replaced or gone. The successor does not
/// know of those keys, and would read what they had.
fn owes_nothing(plane: &dyn DataPlane, now: Timestamp, alone_since: Timestamp) -> bool {
    let Some(fleet) = plane.fleet(now) else {
        return true;
    };
    now.since(alone_since) > TOLD_WITHIN && fleet.requests.in_doubt == 0
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

#[cfg(test)]
#[path = "ending_test.rs"]
mod tests;
