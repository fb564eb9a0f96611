//! What the door counts of itself, for whoever reports it.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::figures::Counter;
use crate::session::Peer;

/// Why somebody had to leave the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shed {
    /// Too many of one source stood there.
    Source,
    /// All places were taken.
    Full,
    /// Those there had sent more than there is memory for.
    Memory,
    /// Too many shook hands for TLS, which comes before the door.
    Handshake,
}

/// Why a connection ended on its way to the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApproachFailure {
    /// A balancer's header was none, or did not come in time.
    Proxy,
    /// It ended before the handshake for TLS did.
    TlsEnded,
    /// The handshake took too long.
    TlsTimeout,
    /// Its client speaks no version or cipher that is spoken here.
    TlsVersion,
    /// Its client's certificate is missing, not to be trusted, or names no tenant.
    TlsCertificate,
    /// Its client does not trust ours.
    TlsRefused,
    /// What it sent is no TLS.
    TlsGarbled,
}

impl ApproachFailure {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Proxy,
        Self::TlsEnded,
        Self::TlsTimeout,
        Self::TlsVersion,
        Self::TlsCertificate,
        Self::TlsRefused,
        Self::TlsGarbled,
    ];

    /// Its name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::TlsEnded => "tls_ended",
            Self::TlsTimeout => "tls_timeout",
            Self::TlsVersion => "tls_version",
            Self::TlsCertificate => "tls_certificate",
            Self::TlsRefused => "tls_refused",
            Self::TlsGarbled => "tls_garbled",
        }
    }
}

/// The counters of a process's one door.
#[derive(Debug, Default)]
pub(crate) struct DoorCounts {
    pub(super) arrivals: Counter,
    pub(super) behind: Counter,
    pub(super) timed_out: Counter,
    pub(super) memory_bytes: Counter,
    shed_for_source: Counter,
    shed_when_full: Counter,
    shed_for_memory: Counter,
    shed_handshakes: Counter,
    /// In the order of [`ApproachFailure::ALL`]; each has one writer.
    failed: [Counter; ApproachFailure::ALL.len()],
    shed_last: Mutex<Option<IpAddr>>,
}

/// The door's figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorFigures {
    /// Connections that came to it since the start.
    pub arrivals: u64,
    /// Of these, those that waited behind all others, as their source opened connections too fast.
    pub behind: u64,
    /// Those that did not authenticate in time.
    pub timed_out: u64,
    /// Those that had to leave since too many of one source stood there.
    pub shed_for_source: u64,
    /// Those that had to leave since all places were taken.
    pub shed_when_full: u64,
    /// Those that had to leave since those there had sent more than there is memory for.
    pub shed_for_memory: u64,
    /// Those whose handshake for TLS was broken off since too many shook hands.
    pub shed_handshakes: u64,
    /// Those that ended on their way to it, in the order of [`ApproachFailure::ALL`].
    pub failed: [u64; ApproachFailure::ALL.len()],
    /// Bytes held for those there.
    pub memory_bytes: u64,
    /// Where the last one that had to leave came from.
    pub shed_last: Option<IpAddr>,
}

impl DoorFigures {
    /// All who had to leave.
    pub fn shed(&self) -> u64 {
        let places = self.shed_for_source + self.shed_when_full;
        places + self.shed_for_memory + self.shed_handshakes
    }
}

impl DoorCounts {
    /// Counts one that must leave.
    pub(crate) fn shed(&self, why: Shed, peer: Peer) {
        let counter = match why {
            Shed::Source => &self.shed_for_source,
            Shed::Full => &self.shed_when_full,
            Shed::Memory => &self.shed_for_memory,
            Shed::Handshake => &self.shed_handshakes,
        };
        counter.add(1);
        if let Peer::Ip(ip, _) = peer {
            *self
                .shed_last
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(ip);
        }
    }

    /// Counts one that did not come as far as the door.
    pub(crate) fn failed(&self, why: ApproachFailure) {
        if let Some(counter) = self.failed.get(why as usize) {
            counter.add(1);
        }
    }

    /// All of them.
    pub(crate) fn figures(&self) -> DoorFigures {
        let shed_last = self.shed_last.lock();
        DoorFigures {
            arrivals: self.arrivals.get(),
            behind: self.behind.get(),
            timed_out: self.timed_out.get(),
            shed_for_source: self.shed_for_source.get(),
            shed_when_full: self.shed_when_full.get(),
            shed_for_memory: self.shed_for_memory.get(),
            shed_handshakes: self.shed_handshakes.get(),
            failed: self.failed.each_ref().map(Counter::get),
            memory_bytes: self.memory_bytes.get(),
            shed_last: *shed_last.unwrap_or_else(PoisonError::into_inner),
        }
    }
}

#[cfg(test)]
#[path = "counts_test.rs"]
mod tests;
