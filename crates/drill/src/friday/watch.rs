//! Watching the server's sockets from outside while the fault is on.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use super::close_wait::CloseWaits;
use super::sockets::{CLOSE_WAIT, ESTABLISHED, SockDiag};
use super::task::Task;
use crate::error::DrillError;
use crate::load::clock;

/// Ten looks at CLOSE_WAIT a second, and one at all connections.
const LOOK_EVERY_NS: u64 = 100_000_000;
const COUNT_ONE_IN: u64 = 10;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Sights {
    pub(crate) close_waits: CloseWaits,
    /// Connections that the server had open at the most.
    pub(crate) connections_peak: u64,
}

/// Watches the sockets of this address until the task is finished.
pub(crate) fn watch(target: SocketAddr) -> Result<Task<Result<Sights, DrillError>>, DrillError> {
    let mut diag = SockDiag::open()?;
    let port = target.port();
    Task::start("watch", move |stop| {
        let mut sights = Sights::default();
        let mut due_ns = clock::now_ns();
        for number in 0u64.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let waiting = diag.peers(port, CLOSE_WAIT)?;
            sights.close_waits.look(clock::now_ns(), &waiting);
            if number.is_multiple_of(COUNT_ONE_IN) {
                let open = diag.peers(port, ESTABLISHED)?.len() + waiting.len();
                sights.connections_peak = sights.connections_peak.max(open as u64);
            }
            due_ns = (due_ns + LOOK_EVERY_NS).max(clock::now_ns());
            clock::sleep_until(due_ns);
        }
        Ok(sights)
    })
}
