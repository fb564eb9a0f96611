//! What the data plane tells of itself and of its tenants at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::kv::Stats;
use base::{TenantId, Timestamp, TrafficLimits};
use gateway::remote::RemoteFigures;
use gateway::{ConnectionFigures, Delays};

use super::nodes::NodeReading;
use crate::control::CANARY;
use crate::judging::JudgingReport;
use crate::plane::{DataPlane, Totals};

/// All of it, the counts since the start.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) at: Timestamp,
    /// By number, which is the order of their making.
    pub(crate) tenants: Vec<TenantReading>,
    pub(crate) totals: Totals,
    /// How long ago each loop turned last.
    pub(crate) loop_ages: Vec<Duration>,
    /// The fleet, at a gateway.
    pub(crate) fleet: Option<FleetReading>,
}

/// The fleet as a gateway knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct FleetReading {
    /// Since when the store does not answer, and why.
    pub(crate) away: Option<(Timestamp, String)>,
    /// How old what is known of it is; none without a store, or before it has answered.
    pub(crate) age: Option<Duration>,
    pub(crate) ring_version: u64,
    /// Slots that are about to change hands.
    pub(crate) moving: u64,
    /// Since when the change under way waits for members that do not answer.
    pub(crate) waits_since: Option<Timestamp>,
    /// Nodes that are members, and how many of them have answered within the last three seconds.
    pub(crate) nodes: u64,
    pub(crate) nodes_heard: u64,
    /// Each of them.
    pub(crate) each: Vec<NodeReading>,
    /// How requests to nodes fared.
    pub(crate) requests: RemoteFigures,
    /// What is known of judging the nodes.
    pub(crate) judging: Option<Arc<JudgingReport>>,
    /// When this member's certificate begins and ends to be good, in seconds since 1970.
    pub(crate) certificate_validity_s: Option<(u64, u64)>,
}

/// One tenant.
#[derive(Clone, Debug)]
pub(crate) struct TenantReading {
    pub(crate) id: TenantId,
    pub(crate) name: Arc<str>,
    pub(crate) traffic: TrafficLimits,
    pub(crate) cache: Stats,
    pub(crate) clients: ConnectionFigures,
    /// How long its requests waited from being there to being answered.
    pub(crate) delays: Delays,
    /// Connections that its clients have closed and this server had not when the kernel was asked
    /// last.
    pub(crate) close_waits: u64,
}

impl Reading {
    /// Everything, the caches' figures too, for which each cache is held for a moment.
    pub(crate) fn take(plane: &dyn DataPlane, now: Timestamp) -> Self {
        Self::with_caches(plane, now, |id| plane.stats(id).unwrap_or_default().0)
    }

    /// Everything but the caches' figures: counters alone, so that a reader of low priority never
    /// holds what a loop waits for.
    pub(crate) fn of_clients(plane: &dyn DataPlane, now: Timestamp) -> Self {
        Self::with_caches(plane, now, |_| Stats::default())
    }

    fn with_caches(
        plane: &dyn DataPlane,
        now: Timestamp,
        cache: impl Fn(TenantId) -> Stats,
    ) -> Self {
        let directory = plane.directory();
        let mut tenants: Vec<TenantReading> = directory
            .tenants()
            // What the status page asks is nobody's use of the service.
            .filter(|tenant| tenant.id != CANARY)
            .map(|tenant| TenantReading {
                id: tenant.id,
                name: Arc::clone(&tenant.name),
                traffic: tenant.traffic,
                cache: cache(tenant.id),
                clients: plane.clients(tenant.id),
                delays: plane.delays(tenant.id),
                close_waits: 0,
            })
            .collect();
        tenants.sort_unstable_by_key(|tenant| tenant.id);
        Self {
            at: now,
            tenants,
            totals: plane.totals(),
            loop_ages: plane.loop_ages(),
            fleet: plane.fleet(now),
        }
    }

    /// The same with what the kernel said of tenants' connections.
    pub(crate) fn with_close_waits(mut self, counts: &BTreeMap<TenantId, u64>) -> Self {
        for tenant in &mut self.tenants {
            tenant.close_waits = counts.get(&tenant.id).copied().unwrap_or(0);
        }
        self
    }

    /// The name of a tenant.
    pub(crate) fn name(&self, id: TenantId) -> Option<&Arc<str>> {
        let found = self.tenants.iter().find(|tenant| tenant.id == id);
        found.map(|tenant| &tenant.name)
    }
}

impl TenantReading {
    /// Requests answered, each key of a multi-get one.
    pub(crate) fn requests(&self) -> u64 {
        let clients = &self.clients;
        let served = clients.reads_served.saturating_add(clients.writes_served);
        served.saturating_add(self.refused())
    }

    /// Requests refused since they had waited too long.
    pub(crate) fn refused(&self) -> u64 {
        let clients = &self.clients;
        clients.reads_refused.saturating_add(clients.writes_refused)
    }
}

#[cfg(test)]
#[path = "reading_test.rs"]
mod tests;
