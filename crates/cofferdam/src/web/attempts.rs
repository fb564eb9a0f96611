//! How often a source may try to log in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::Timestamp;
use runtime::Clock;

/// Attempts that a source has at once, and how long one takes to come back.
const BURST: u32 = 5;
const REFILL: Duration = Duration::from_secs(10);
/// Sources that are remembered; while there are so many, strangers wait.
const SOURCES_MAX: usize = 1024;

/// The same for handlers that run side by side.
#[derive(Debug)]
pub(crate) struct Brake {
    clock: Clock,
    attempts: Mutex<Attempts>,
}

impl Brake {
    /// Nobody has tried yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            attempts: Mutex::default(),
        }
    }

    /// Takes one of the attempts that `source` has, or tells how long it has to wait.
    pub(crate) fn take(&self, source: Option<IpAddr>) -> Result<(), Duration> {
        self.attempts().take(self.clock.now(), source)
    }

    /// Gives it back, since it was no wrong guess.
    pub(crate) fn give_back(&self, source: Option<IpAddr>) {
        self.attempts().give_back(source);
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        // Nothing in it is left half changed by a panic.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failed attempts by source (an IPv4 address, or an IPv6 network of 64 bits), each as the time at
/// which all of its attempts have come back: the generic cell rate algorithm.
#[derive(Debug, Default)]
struct Attempts {
    forgiven: HashMap<IpAddr, Timestamp>,
}

impl Attempts {
    /// Takes one attempt of `source`, or tells how long it has to wait for the next. `None` is whoever
    /// came through the Unix socket, which its file's mode guards.
    ///
    /// It is taken before anything is looked at, so that guesses side by side are no more than others.
    fn take(&mut self, now: Timestamp, source: Option<IpAddr>) -> Result<(), Duration> {
        self.check(now, source)?;
        self.failed(now, source);
        Ok(())
    }

    /// Gives an attempt back that was no wrong guess.
    fn give_back(&mut self, source: Option<IpAddr>) {
        if let Some(source) = source.map(network)
            && let Some(at) = self.forgiven.get_mut(&source)
        {
            *at = Timestamp::from_nanos(at.as_nanos().saturating_sub(REFILL.as_nanos() as u64));
        }
    }

    fn check(&mut self, now: Timestamp, source: Option<IpAddr>) -> Result<(), Duration> {
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

    fn failed(&mut self, now: Timestamp, source: Option<IpAddr>) {
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
