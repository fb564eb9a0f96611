//! The server: the real shard and door under event loops that mirror the runtime's, in virtual time.

mod backend;
mod connection;
mod cost;
mod entrance;
mod errands;
mod event_loop;
mod exchange;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use base::kv::{INLINE_VALUE_LEN_MAX, Item, Op, Sink, Store};
use base::{TenantId, Timestamp};
use cache::{Config, TenantCache};
use gateway::directory::Directory;
use gateway::{Admitted, ConnectionFigures, Figures};

use self::backend::{Asked, Caches};
use self::connection::Connection;
use self::cost::Pricing;
use self::event_loop::EventLoop;
use crate::clients::{SHARED_KEYS, shared_key, shared_value};
use crate::event::EventQueue;
use crate::network::{Network, SocketId};
use crate::scenario::Tenant;
use crate::trace::Trace;

pub use cost::Costs;

/// How the server is set up.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// How many event loops, each on a core of its own.
    pub loops: usize,
    /// Connections at once that have been let in.
    pub connections_max: usize,
    /// How many more there may be at the door.
    pub connections_reserve: usize,
    /// How long a connection may take to authenticate.
    pub auth_timeout: Duration,
    /// How many connections may be about to authenticate.
    pub unauthenticated_max: usize,
    /// How long a client may leave its replies unread.
    pub stalled_reader_timeout: Duration,
    /// How long a client may take to complete a request, or to send a part of a long one.
    pub stalled_writer_timeout: Duration,
    /// Silence after which a client is let go, if ever.
    pub idle_timeout: Option<Duration>,
    /// Of these, how many from one source.
    pub unauthenticated_per_source_max: usize,
    /// New connections a second from one source; what is above that waits behind all others.
    pub connects_per_second_per_source_max: Option<u32>,
    /// Memory in bytes for what those have sent.
    pub door_memory_bytes: usize,
    /// Whether tenants have their turns, limits and budgets; without, whoever comes first is served
    /// first: the control.
    pub protections: bool,
    /// What the work costs.
    pub costs: Costs,
}

impl Default for ServerConfig {
    /// One core, and the product's defaults.
    fn default() -> Self {
        Self {
            loops: 1,
            connections_max: 2_000_000,
            connections_reserve: 4096,
            auth_timeout: Duration::from_secs(5),
            unauthenticated_max: 4096,
            stalled_reader_timeout: Duration::from_secs(30),
            stalled_writer_timeout: Duration::from_secs(30),
            idle_timeout: None,
            unauthenticated_per_source_max: 1024,
            connects_per_second_per_source_max: Some(1000),
            door_memory_bytes: 32 << 20,
            protections: true,
            costs: Costs::default(),
        }
    }
}

/// What is left of a server whose clients have all gone; nothing should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leaks {
    /// Connections in the network.
    pub sockets: usize,
    /// Sessions in the shards.
    pub sessions: usize,
    /// Connections at the door.
    pub entrants: usize,
    /// Connections that the loops know.
    pub connections: usize,
    /// Connections that the tenants' figures tell of.
    pub counted: u64,
    /// Bytes on their way, by the same figures.
    pub inflight_bytes: u64,
    /// Loops on which a tenant is paused, by the same figures.
    pub paused: u64,
    /// Tenants that have sessions, by the shards.
    pub tenants_present: usize,
    /// Rooms and pins in the caches.
    pub holds: i64,
}

/// The server and all that it owns.
pub(crate) struct Server {
    loops: Vec<EventLoop>,
    shared: Shared,
}

/// What all loops share.
pub(super) struct Shared {
    config: ServerConfig,
    pricing: Pricing,
    figures: Arc<Figures>,
    asked: Rc<Asked>,
    /// By the slot of their socket.
    connections: Vec<Option<Connection>>,
    connection_count: usize,
    refused: u64,
    /// What loops are to be told.
    mail: Vec<(usize, Mail)>,
    trace: Trace,
}

/// What one loop tells another.
pub(super) enum Mail {
    /// A connection that was let in.
    Admit(SocketId, Admitted),
    /// To close the connection of this tenant that has been idle for longest.
    Displace(TenantId),
}

/// What a loop acts upon.
pub(super) struct Kernel<'a> {
    network: &'a mut Network,
    events: &'a mut EventQueue,
}

impl Server {
    pub(crate) fn new(
        config: ServerConfig,
        tenants: &[Tenant],
        seed: u64,
        now: Timestamp,
    ) -> Result<Self, String> {
        let figures = Arc::new(Figures::new(config.loops));
        let directory = Arc::new(directory_of(tenants));
        let asked = Rc::new(Asked::default());
        let caches = Caches {
            tenants: tenants
                .iter()
                .map(|tenant| Ok((tenant.id, Rc::new(warm_cache(tenant, seed, now)?))))
                .collect::<Result<_, String>>()?,
            asked: Rc::clone(&asked),
            next_maintained: 0,
        };
        let loops = (0..config.loops)
            .map(|index| EventLoop::new(index, &config, now, &caches, &directory, &figures))
            .collect();
        let shared = Shared {
            pricing: Pricing {
                costs: config.costs,
                slowness_percent: 100,
            },
            config,
            figures,
            asked,
            connections: Vec::new(),
            connection_count: 0,
            refused: 0,
            mail: Vec::new(),
            trace: Trace::new(),
        };
        Ok(Self { loops, shared })
    }

    /// Which loop acts next if nothing happens before, and when.
    pub(crate) fn next_step(&self, now: Timestamp, network: &Network) -> (Timestamp, usize) {
        let next = |here: &EventLoop| (here.next_step_at(now, network), here.index());
        self.loops
            .iter()
            .map(next)
            .min()
            .unwrap_or((Timestamp::MAX, 0))
    }

    /// Lets one loop act.
    pub(crate) fn step(
        &mut self,
        index: usize,
        now: Timestamp,
        network: &mut Network,
        events: &mut EventQueue,
    ) {
        let mut kernel = Kernel { network, events };
        self.loops[index].step(now, &mut kernel, &mut self.shared);
        for (to, mail) in self.shared.mail.drain(..) {
            self.loops[to].receive(mail);
        }
    }

    /// Everything takes this many percent of its usual time from now on.
    pub(crate) fn set_slowness(&mut self, percent: u64) {
        self.shared.pricing.slowness_percent = percent;
    }

    /// Publishes what tenants may take from now on.
    pub(crate) fn apply(&mut self, tenants: &[Tenant]) {
        let directory = Arc::new(directory_of(tenants));
        for here in &mut self.loops {
            here.apply(&directory);
        }
    }

    /// What the shards counted for a tenant.
    pub(crate) fn figures(&self, tenant: &Tenant) -> ConnectionFigures {
        self.shared.figures.tenant(tenant.id).sum()
    }

    /// Connections turned away for want of a place.
    pub(crate) fn refused(&self) -> u64 {
        self.shared.refused
    }

    pub(crate) fn trace(&self) -> Trace {
        self.shared.trace
    }

    pub(crate) fn leaks(&self, network: &Network, tenants: &[Tenant]) -> Leaks {
        let sum = |part: fn(&ConnectionFigures) -> u64| {
            let figures = tenants.iter().map(|tenant| self.figures(tenant));
            figures.map(|figures| part(&figures)).sum()
        };
        Leaks {
            sockets: network.len(),
            sessions: self.loops.iter().map(EventLoop::session_count).sum(),
            entrants: self.loops.iter().map(EventLoop::entrant_count).sum(),
            connections: self.shared.connection_count,
            counted: sum(|figures| figures.connections),
            inflight_bytes: sum(|figures| figures.inflight_bytes),
            paused: sum(|figures| figures.paused),
            tenants_present: self.loops.iter().map(EventLoop::tenants_present).sum(),
            holds: self.shared.asked.holds.get(),
        }
    }
}

fn directory_of(tenants: &[Tenant]) -> Directory {
    Directory::new(
        tenants.iter().map(Tenant::entry),
        tenants.iter().map(Tenant::credential),
    )
}

/// A cache that holds every shared key, unless values are so long that they pass in pieces.
fn warm_cache(tenant: &Tenant, seed: u64, now: Timestamp) -> Result<TenantCache, String> {
    let mut hash_key = [0; 16];
    hash_key[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        quota_bytes: tenant.quota_bytes,
        item_size_max: tenant.item_size_max(),
        hash_key,
        cas_after: None,
    };
    let cache = TenantCache::new(config, now).map_err(|error| error.to_string())?;
    let (mut key, mut value) = (Vec::new(), Vec::new());
    if tenant.value_len as usize > INLINE_VALUE_LEN_MAX {
        return Ok(cache);
    }
    for number in 0..SHARED_KEYS {
        key.clear();
        value.clear();
        shared_key(number, &mut key);
        shared_value(number, tenant.value_len, &mut value);
        let store = Store::plain(&key, &value);
        cache.execute(now, &Op::Store(store), &mut Unheard);
    }
    Ok(cache)
}

/// Takes what a store hands out: nothing.
struct Unheard;

impl Sink for Unheard {
    fn item(&mut self, _: &Item<'_>) {}
}
