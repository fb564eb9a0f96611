//! The drill `wednesday`: a fleet in which a node turns slow, and others that only look so.
//!
//! On a Wednesday in November 2012 a new data node with a slow network passed its tests. Its slowness
//! went up through every proxy, clients timed out and connected again; taking it out cured all at
//! once. `run` starts fleets of six nodes, two gateways and an etcd, each a process, with a way to each
//! node that can be made bad; `scenario` says what is done to them, `act` does it under load once the
//! machine is at rest (`unrest`, `rest`), and `score` judges what was `seen`, beside the same without what protects.

mod act;
mod admin;
mod busy;
mod clients;
mod connection;
mod control;
mod fleet;
mod network;
mod outcome;
mod rest;
mod rhythm;
mod run;
mod samples;
mod scenario;
mod score;
mod seen;
mod tries;
mod unrest;

pub use network::{Network, Stack};
pub use outcome::{Outcome, ScenarioOutcome, Verdict};
pub use run::{Settings, run};
pub use scenario::{Judge, SCENARIOS, quick_scenarios};
