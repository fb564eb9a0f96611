//! How often a source may try to log in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use base::Timestamp;

/// Attempts that a source has at once, and how long one takes to come back.
const BURST: u32 = 5;
const REFILL: Duration = Duration::from_secs(10);
/// Sources that are remembered; while there are so many, strangers wait.
const SOURCES_MAX: usize = 1024;

/// Failed attempts by source (an IPv4 address, or an IPv6 network of 64 bits), each as the time at
/// which all of its attempts have come back: the generic cell rate algorithm.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    forgiven: HashMap<IpAddr, Timestamp>,
}

impl Attempts {
    /// Whether `source` may try now, and else how long it has to wait. `None` is whoever came through
    /// the Unix socket, which its file's mode guards.
    pub(crate) fn check(&mut self, now: Timestamp, source: Option<IpAddr>) -> Result<(), Duration> {
        let Some(source) = source.map(network) else {
            return Ok(());
        };
        self.forgiven.retain(|_, at| *at > now);
        let wait = match self.forgiven.get(&source) {
            Some(at) => at.since(now).saturating_sub(REFILL * (BURST - 1)),
            None if self.forgiven.len() >= SOURCES_MAX => REFILL,
            None => Duration::ZERO,
        };
        match wait.is_zero() {
            true => Ok(()),
            false => Err(wait),
        }
    }

    /// One attempt of `source` has failed.
    pub(crate) fn failed(&mut self, now: Timestamp, source: Option<IpAddr>) {
        if let Some(source) = source.map(network) {
            let at = self.forgiven.entry(source).or_insert(now);
            *at = (*at).max(now) + REFILL;
        }
    }
}

/// Whoever has one address of an IPv6 network has all of them.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            let high = address.to_bits() >> 64 << 64;
            IpAddr::V6(high.into())
        }
        four => four,
    }
}

#[cfg(test)]
#[path = "attempts_test.rs"]
mod tests;
