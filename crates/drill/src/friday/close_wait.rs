//! How long the server's sockets stand in CLOSE_WAIT, from looks at them from outside.

use std::collections::HashMap;
use std::net::SocketAddrV4;

/// What was seen of the sockets in CLOSE_WAIT.
///
/// A socket is known by its peer's address and port. It is as old as the time between the first and
/// the last of the looks in a row that found it: never more than it is, at most a look's distance
/// less.
#[derive(Debug, Default)]
pub(crate) struct CloseWaits {
    since_ns: HashMap<SocketAddrV4, u64>,
    /// The most that were seen at once.
    pub(crate) peak: u64,
    /// The oldest that was seen.
    pub(crate) oldest_ns: u64,
}

impl CloseWaits {
    /// Takes in the peers of all sockets that a look at `now_ns` found in CLOSE_WAIT.
    pub(crate) fn look(&mut self, now_ns: u64, peers: &[SocketAddrV4]) {
        let before = std::mem::take(&mut self.since_ns);
        for peer in peers {
            let since_ns = before.get(peer).copied().unwrap_or(now_ns);
            self.oldest_ns = self.oldest_ns.max(now_ns.saturating_sub(since_ns));
            self.since_ns.insert(*peer, since_ns);
        }
        self.peak = self.peak.max(peers.len() as u64);
    }
}

#[cfg(test)]
#[path = "close_wait_test.rs"]
mod tests;
