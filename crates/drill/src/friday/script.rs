//! The storm's script: when each of its connections is opened and abandoned, whatever the server does.
//!
//! Openings are numbered through; number k is due k x period / connections after the begin and uses
//! place k mod connections. A place is abandoned shortly before its next opening is due: with data
//! unread at the server, or, for one place in ten, it asks, reads and stays.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::settings::StormSize;

/// How long before it is opened again a place is abandoned: the failure delay of a common client.
const GAP: Duration = Duration::from_millis(10);
/// One place in so many is kept.
const KEPT_ONE_IN: u64 = 10;
/// Numbers in each of the three lower parts of an address: 1 to 254.
const PART: u64 = 254;
/// Source ports that an address takes in turn, from the first on.
const PORT_FIRST: u64 = 10_000;
const PORTS: u64 = 50_000;

/// The script of one storm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    connections: u64,
    period_ns: u64,
    same_source: bool,
}

impl Script {
    /// For a storm of this size, from one address or from one for each place.
    pub(crate) fn new(size: StormSize, same_source: bool) -> Self {
        Self {
            connections: u64::from(size.connections.max(1)),
            period_ns: u64::try_from(size.period.as_nanos())
                .unwrap_or(u64::MAX)
                .max(1),
            same_source,
        }
    }

    /// How many openings are due at `elapsed_ns`.
    pub(crate) fn openings(&self, elapsed_ns: u64) -> u64 {
        let due =
            u128::from(elapsed_ns) * u128::from(self.connections) / u128::from(self.period_ns);
        u64::try_from(due).unwrap_or(u64::MAX)
    }

    /// How many endings are due at `elapsed_ns`; the k-th ends what the k-th opening opened.
    pub(crate) fn endings(&self, elapsed_ns: u64) -> u64 {
        let gap_ns = GAP.as_nanos() as u64;
        self.openings((elapsed_ns + gap_ns).saturating_sub(self.period_ns))
    }

    /// The place that number `number` uses.
    pub(crate) fn place(&self, number: u64) -> usize {
        (number % self.connections) as usize
    }

    /// Whether this place asks, reads and stays when its end is due.
    pub(crate) fn is_kept(&self, place: usize) -> bool {
        (place as u64).is_multiple_of(KEPT_ONE_IN)
    }

    /// Where opening `number` comes from: an address of its place, and a port that is not the one
    /// of the place's last time.
    pub(crate) fn source(&self, number: u64) -> (Ipv4Addr, u16) {
        if self.same_source {
            let port = PORT_FIRST + number % PORTS;
            return (Ipv4Addr::new(127, 0, 0, 2), port as u16);
        }
        let place = number % self.connections;
        let round = number / self.connections;
        let part = |value: u64| (1 + value % PART) as u8;
        let address = Ipv4Addr::new(
            127,
            part(place / PART / PART),
            part(place / PART),
            part(place),
        );
        (address, (PORT_FIRST + round % PORTS) as u16)
    }
}

#[cfg(test)]
#[path = "script_test.rs"]
mod tests;
