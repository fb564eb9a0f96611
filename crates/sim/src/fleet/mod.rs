//! Gateways, nodes and a store among partitions, restarts and changes of the ring: is anything stale?
//!
//! Rings, routes, slot tables and knowledge are the real ones of crate `fleet`; this module gives
//! them a network, a store, clients that write and read, and a history that knows what a client may
//! have seen. What counts as cut off is decided from the network's true state, not from what a
//! member believes of itself.

mod faults;
mod history;
mod member;
mod network;
mod operate;
mod steward;
mod world;

use std::time::Duration;

use base::Timestamp;

pub use history::{Staleness, Violation};

/// What a run found that held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Reads that brought a value.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Changes that were acknowledged.
    pub stored: u64,
    /// Changes that were not.
    pub refused: u64,
    /// Changes of the ring that were made.
    pub ring_changes: u64,
    /// Reads of what had been overwritten elsewhere, through a gateway and a node that were both
    /// cut off, in the time that they may.
    pub stale_while_cut_off: u64,
    /// Of `hits` and `stored`, those of the end, when all is healed.
    pub served_at_the_end: u64,
}

/// What a fleet without one of its rules would do; the model has to notice each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Nodes serve whatever they hold, whatever the request's epoch.
    NoEpochCheck,
    /// A gateway that cannot reach a node sends its keys to another one.
    RerouteWhenCutOff,
    /// Every second change has the epoch of the one before the last.
    EpochReused,
    /// A change is made as soon as it is announced.
    NoWaiting,
    /// Who has heard of nothing newer answers reads for ever.
    NoMaxStale,
    /// Who has heard of nothing newer takes changes for ever.
    LateChanges,
    /// Nodes carry out what they get, however late.
    LateWork,
    /// A node's CAS tokens begin anew when it does.
    TokensRestart,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NoEpochCheck,
        Self::RerouteWhenCutOff,
        Self::EpochReused,
        Self::NoWaiting,
        Self::NoMaxStale,
        Self::LateChanges,
        Self::LateWork,
        Self::TokensRestart,
    ];
}

/// What happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Partitions, restarts and changes of weight at random, then healing.
    Faults,
    /// The store is gone for all from the 20th second to the last but 30, and nothing else happens.
    StoreDown,
}

/// One history.
#[derive(Clone, Copy, Debug)]
pub struct FleetRun {
    /// Everything random comes from it.
    pub seed: u64,
    /// A rule that is not kept.
    pub bug: Option<Bug>,
    /// What happens.
    pub weather: Weather,
    /// For how long; all is healed 20 s before the end.
    pub length: Duration,
}

impl FleetRun {
    /// Two minutes of faults.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            bug: None,
            weather: Weather::Faults,
            length: Duration::from_secs(120),
        }
    }

    /// Runs it to its end, or to the first thing that must not be.
    pub fn run(&self) -> Result<Figures, Violation> {
        world::World::new(self).run()
    }
}

/// When runs begin.
const START: Timestamp = Timestamp::from_secs(1_700_000_000);
