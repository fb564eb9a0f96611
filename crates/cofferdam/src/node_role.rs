//! `cofferdam node`: a part of the tenants' caches, for gateways.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::fleet::MemberId;
use base::{ByteSize, TenantId, Timestamp};
use fleet::Ring;
use gateway::remote::Assurance;
use node::{Landlord, NodeConfig, RingState};
use node_proto::TenantTerms;
use runtime::nodes::{NodeLoops, NodeLoopsConfig, NodeView};
use runtime::{Clock, Published, descriptors, secrets};
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::config::{Auto, Config, Overrides};
use crate::failure::Failure;
use crate::fleet_tls;
use crate::local_backend::{Caches, LocalBackend};
use crate::{logging, machine};

/// How often it is looked whether the loops still run.
const CHECK_PERIOD: Duration = Duration::from_millis(100);
/// How long gateways have to go elsewhere after they were told that the node ends.
const GOODBYE_TIME: Duration = Duration::from_millis(300);
/// What a node's keys have behind them, in bytes, which does not count against a tenant's item size.
const STAMP_LEN: u32 = 5;

/// Runs until SIGTERM or SIGINT.
pub(crate) fn run(file: Option<&Path>, overrides: &Overrides) -> Result<(), Failure> {
    let config = Config::load(file, overrides)?;
    logging::start(config.log_format, config.log_level);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    descriptors::raise_limit()?;
    let clock = Clock::new();
    let fleet = &config.fleet;
    let threads = match config.threads {
        Auto::Is(count) => usize::from(count),
        Auto::Auto => usize::from(machine::cores()),
    };
    let caches = Arc::new(Caches::default());
    let landlord = NodeCaches::new(Arc::clone(&caches));
    let loops_config = NodeLoopsConfig {
        threads,
        listen: fleet.listen.0,
        node: NodeConfig {
            member: MemberId(fleet.member),
            name: fleet.name.clone(),
            instance: secrets::number()?,
            credits: fleet.credits,
        },
        tls: fleet_tls::load(fleet)?,
        clock,
        // Without a store gateways vouch for who owns what, and nothing ever changes.
        view: Arc::new(Published::new(NodeView {
            ring: Arc::new(Ring::empty()),
            state: RingState {
                announced: None,
                assurance: Assurance::NONE,
            },
        })),
    };
    let loops = NodeLoops::start(loops_config, |index| {
        let backend = LocalBackend::new(Arc::clone(&caches), index, threads);
        (backend, landlord.clone())
    })
    .map_err(|error| {
        Failure::new(format!(
            "cannot listen on {}: {error}: choose another fleet.listen, port 0 picks one",
            fleet.listen.0
        ))
    })?;
    println!("ready node={} addr={}", fleet.name, loops.addr());
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let outcome = wait(&mut signals, &loops);
    tracing::info!("ending; gateways are told");
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    loops.stop(GOODBYE_TIME);
    outcome
}

fn wait(signals: &mut Signals, loops: &NodeLoops) -> Result<(), Failure> {
    loop {
        for signal in signals.pending() {
            if signal != SIGHUP {
                return Ok(());
            }
        }
        if loops.has_failed() {
            return Err(Failure::new(
                "the event loops have ended: look at the log above, and start again",
            ));
        }
        std::thread::park_timeout(CHECK_PERIOD);
    }
}

/// Makes and changes tenants' caches as gateways tell.
#[derive(Clone, Debug)]
pub(crate) struct NodeCaches {
    caches: Arc<Caches>,
    /// The terms in force; held while they are changed, which takes no longer than that.
    terms: Arc<Mutex<HashMap<TenantId, TenantTerms>>>,
}

impl NodeCaches {
    pub(crate) fn new(caches: Arc<Caches>) -> Self {
        Self {
            caches,
            terms: Arc::default(),
        }
    }

    fn apply(&self, now: Timestamp, terms: &TenantTerms) -> Result<(), String> {
        let quota_bytes = terms.quota_bytes;
        let item_size_max = terms
            .item_size_max
            .saturating_add(STAMP_LEN)
            .min(base::kv::ITEM_SIZE_MAX);
        // What holds two items holds them with their stamps too.
        let quota_bytes = quota_bytes.max(cache::least_quota_bytes(item_size_max));
        match self.caches.get(terms.tenant) {
            None => {
                let hash_key = secrets::salt().map_err(|error| error.to_string())?;
                let caches = &self.caches;
                caches
                    .create(now, terms.tenant, quota_bytes, item_size_max, hash_key)
                    .map_err(|error| error.to_string())
            }
            Some(cache) => cache
                .set_quota(now, quota_bytes)
                .and_then(|()| cache.set_item_size_max(item_size_max))
                .map_err(|error| error.to_string()),
        }
    }
}

impl Landlord for NodeCaches {
    fn provide(&self, now: Timestamp, terms: &TenantTerms) {
        let mut all = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        if all
            .get(&terms.tenant)
            .is_some_and(|known| known.version > terms.version || known == terms)
        {
            return;
        }
        all.insert(terms.tenant, *terms);
        let quota = ByteSize(terms.quota_bytes);
        match self.apply(now, terms) {
            Ok(()) => tracing::info!(tenant = %terms.tenant, %quota, "a tenant has room here"),
            Err(error) => tracing::warn!(
                tenant = %terms.tenant, %quota, error,
                "a tenant's terms cannot be met; its requests are refused"
            ),
        }
    }

    fn forget(&self, tenant: TenantId) {
        let mut all = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        if all.remove(&tenant).is_some() {
            tracing::info!(%tenant, "a tenant is no more");
            // Its memory comes back in its own time.
            drop(self.caches.remove(tenant));
        }
    }
}

#[cfg(test)]
#[path = "node_role_test.rs"]
mod tests;
