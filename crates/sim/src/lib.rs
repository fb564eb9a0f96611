//! A deterministic simulation: the real shard, door, admission and cache among virtual clients.
//!
//! Time, network and clients are virtual; who is served when, who waits and who has to go is decided
//! by the same code that decides it in production. Equal seeds give equal runs, so that whatever
//! goes wrong can be repeated. That this crate needs neither sockets nor a clock is the proof that
//! the core is free of both.
#![forbid(unsafe_code)]

mod clients;
mod event;
pub mod fleet;
pub mod judging;
mod measure;
#[cfg(test)]
mod memory_test;
mod network;
mod scenario;
mod server;
mod trace;
mod world;

pub use clients::{Conduct, Group, Mix, Pace, Patience, Sources};
pub use measure::{Summary, Tally, Timeline};
pub use network::{NetworkConfig, NetworkFigures};
pub use scenario::{Cue, Report, Scenario, Tenant};
pub use server::{Costs, Leaks, ServerConfig};
