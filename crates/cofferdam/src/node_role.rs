//! `cofferdam node`: a part of the tenants' caches, for gateways; or volumes, where the configuration says so.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::fleet::{Epoch, Incarnation, MemberId};
use base::{ByteSize, TenantId, Timestamp};
use fleet::Ring;
use fleet::registry::Role;
use gateway::remote::Assurance;
use node::{Landlord, NodeConfig, RingState};
use node_proto::TenantTerms;
use runtime::nodes::{NodeLoops, NodeLoopsConfig, NodeView};
use runtime::store::Store;
use runtime::{Clock, Published, descriptors, secrets};
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::config::{Auto, Config, NodeRole, Overrides};
use crate::engine_trial;
use crate::failure::Failure;
use crate::fleet_tls;
use crate::local_backend::{Caches, LocalBackend};
use crate::membership::{self, Joined, Membership, Seat, Sight};
use crate::node_admin::{self, NodeAdmin};
use crate::observe::detect::TURN_AGE_MAX;
use crate::observe::metrics::MachinePage;
use crate::observe::service::Watchdog;
use crate::{logging, machine, up};

/// How often it is looked whether the loops still run.
const CHECK_PERIOD: Duration = Duration::from_millis(100);
/// How long gateways have to go elsewhere after they were told that the node ends.
const GOODBYE_TIME: Duration = Duration::from_millis(300);
/// What a node's keys have behind them, in bytes, which does not count against a tenant's item size.
const STAMP_LEN: u32 = 5;
/// Caches of one run whose CAS tokens are apart: each has those of 2³⁰ changes.
const CACHES_MADE_MAX: u64 = 1 << 10;

/// Runs until SIGTERM or SIGINT.
pub(crate) fn run(file: Option<&Path>, overrides: &Overrides) -> Result<(), Failure> {
    let config = Config::load(file, overrides)?;
    if config.fleet.role == NodeRole::Volume {
        return up::run_volume_node(file, overrides);
    }
    logging::start(config.log_format, config.log_level);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    descriptors::raise_limit()?;
    let clock = Clock::new();
    let fleet = &config.fleet;
    let threads = match config.threads {
        Auto::Is(count) => usize::from(count),
        Auto::Auto => usize::from(machine::cores()),
    };
    let tls = fleet_tls::load(&config)?;
    let _renewal = fleet_tls::keep_good(&config, tls.clone(), clock)?;
    let shown = tls.clone();
    let store = membership::store(&config)?;
    let joined = store.as_ref().map(|store| join(&config, store, clock));
    let joined = joined.transpose()?;
    let (member, incarnation) = joined
        .as_ref()
        .map_or((MemberId(fleet.member), Incarnation::ALONE), |joined| {
            (joined.me, joined.incarnation)
        });
    let caches = Arc::new(Caches::default());
    let landlord = NodeCaches::new(Arc::clone(&caches), incarnation);
    let view = Arc::new(Published::new(match &joined {
        // Nothing is served before it is known how far what is known may be relied on.
        Some(_) => unheard(Timestamp::MAX),
        // Without a store gateways vouch for who owns what, and nothing ever changes.
        None => unheard(Timestamp::ZERO),
    }));
    let loops_config = NodeLoopsConfig {
        threads,
        listen: fleet.listen.0,
        node: NodeConfig {
            member,
            name: fleet.name.clone(),
            instance: secrets::number()?,
            credits: fleet.credits,
        },
        tls,
        clock,
        view: Arc::clone(&view),
        trial: engine_trial::of(&config),
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
    let loops = Arc::new(loops);
    let membership = match (store, joined) {
        (Some(store), Some(joined)) => {
            let file = membership::kept_file(&config.data_dir());
            let seat = Arc::new(NodeSeat {
                view,
                loops: Arc::clone(&loops),
            });
            let started = Membership::start(joined, file, store, clock, Role::Cache, seat);
            Some(Arc::new(started?))
        }
        _ => None,
    };
    let ready = Arc::new(AtomicBool::new(true));
    let server = node_admin::serve(
        &config,
        NodeAdmin {
            loops: Arc::clone(&loops),
            membership: membership.clone(),
            tls: shown,
            ready: Arc::clone(&ready),
            clock,
            machine: MachinePage::new(clock),
        },
    )?;
    println!("ready node={} addr={}", fleet.name, loops.addr());
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let outcome = wait(&mut signals, &loops, clock);
    ready.store(false, Ordering::Release);
    tracing::info!("ending; gateways are told");
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    drop(server);
    drop(membership);
    loops.stop(GOODBYE_TIME);
    outcome
}

fn join(config: &Config, store: &Arc<dyn Store>, clock: Clock) -> Result<Joined, Failure> {
    let fleet = &config.fleet;
    let addr = fleet.advertise.unwrap_or(fleet.listen).0;
    if addr.port() == 0 || addr.ip().is_unspecified() {
        return Err(Failure::new(format!(
            "gateways cannot reach this node at {addr}: set fleet.advertise, or an address and port \
             in fleet.listen"
        )));
    }
    membership::join(config, store, clock, Role::Cache, addr.to_string())
}

/// What a node knows that has not heard of a ring; until then it serves nobody.
fn unheard(starting_until: Timestamp) -> NodeView {
    NodeView {
        ring: Arc::new(Ring::empty()),
        state: RingState {
            announced: None,
            assurance: Assurance {
                starting_until,
                ..Assurance::NONE
            },
        },
    }
}

/// The loops, as the fleet knows them.
struct NodeSeat {
    view: Arc<Published<NodeView>>,
    loops: Arc<NodeLoops>,
}

impl Seat for NodeSeat {
    fn show(&self, sight: &Sight) {
        self.view.publish(NodeView {
            ring: Arc::clone(&sight.ring),
            state: RingState {
                announced: sight.announced,
                assurance: sight.assurance,
            },
        });
        self.loops.wake();
    }

    fn announced(&self) -> Option<Epoch> {
        self.loops.announced()
    }
}

fn wait(signals: &mut Signals, loops: &NodeLoops, clock: Clock) -> Result<(), Failure> {
    let mut watchdog = Watchdog::new();
    loop {
        watchdog.feed(clock.now(), loops.turned_within(TURN_AGE_MAX));
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
    incarnation: Incarnation,
    /// How many caches this run has made.
    made: Arc<AtomicU64>,
}

impl NodeCaches {
    pub(crate) fn new(caches: Arc<Caches>, incarnation: Incarnation) -> Self {
        Self {
            caches,
            terms: Arc::default(),
            incarnation,
            made: Arc::default(),
        }
    }

    /// Below all CAS tokens of a cache that is made now: they begin with this run's number, and one
    /// that takes the place of an earlier cache of this run goes on well above it.
    fn cas_after(&self) -> Option<u64> {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        let step = (made % CACHES_MADE_MAX) * (Incarnation::CAS_TOKENS / CACHES_MADE_MAX);
        (self.incarnation != Incarnation::ALONE).then(|| self.incarnation.first_cas() - 1 + step)
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
                    .create(
                        now,
                        terms.tenant,
                        quota_bytes,
                        item_size_max,
                        hash_key,
                        self.cas_after(),
                    )
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
