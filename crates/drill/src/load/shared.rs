//! What all threads of a run have in common.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::error::LoadError;
use super::gate::Gate;
use super::keys::Keys;
use super::login;
use super::plan::Plan;
use super::report::Phase;
use super::socket::Address;
use super::tally::Tally;
use super::values::Values;

/// What all threads of a run have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) addresses: Vec<Address>,
    /// The first bytes of a connection, by tenant.
    pub(crate) logins: Vec<Vec<u8>>,
    pub(crate) keys: Keys,
    pub(crate) values: Arc<Values>,
    pub(crate) gate: Gate,
}

impl Shared {
    /// Looks all targets up and prepares what does not change.
    pub(crate) fn new(plan: &Plan) -> Result<Self, LoadError> {
        let addresses: Result<Vec<Address>, LoadError> =
            plan.targets.iter().map(Address::resolve).collect();
        let logins = plan.tenants.iter();
        Ok(Self {
            addresses: addresses?,
            logins: logins
                .map(|login| login::request(login, plan.auth))
                .collect(),
            keys: Keys::new(plan.keys.count, plan.keys.len),
            values: Arc::new(Values::new(plan.seed, plan.value_len.clone())),
            gate: Gate::new(plan.threads as usize),
        })
    }
}

/// A thread's figures since its last news.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) phase: Phase,
    /// When they were taken.
    pub(crate) at_ns: u64,
    /// Since the phase began, and since the last news.
    pub(crate) elapsed_ns: u64,
    pub(crate) span_ns: u64,
    pub(crate) tally: Tally,
}

/// Where threads send their news.
pub(crate) type Newsroom = Sender<News>;

/// Where connection number `index` of a run belongs: to which tenant, to which target, and which
/// part of that pair's keys it stores before the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) tenant: usize,
    pub(crate) target: usize,
    pub(crate) fill: std::ops::Range<u64>,
}

impl Place {
    /// Spreads connections over tenants first, then over targets, so that both are even.
    pub(crate) fn of(index: usize, plan: &Plan) -> Self {
        let tenants = plan.tenants.len().max(1);
        let targets = plan.targets.len().max(1);
        let pairs = tenants * targets;
        let (rank, pair) = (index / pairs, index % pairs);
        let connections = plan.connections as usize;
        let members = connections.saturating_sub(pair).div_ceil(pairs).max(1);
        let bound = |rank: usize| {
            let part = u128::from(plan.keys.count) * rank as u128 / members as u128;
            u64::try_from(part).unwrap_or(u64::MAX)
        };
        Self {
            tenant: index % tenants,
            target: index / tenants % targets,
            fill: bound(rank)..bound(rank + 1),
        }
    }
}

#[cfg(test)]
#[path = "shared_test.rs"]
mod tests;
