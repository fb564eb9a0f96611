//! What control asks of the data plane, and what `up` asks of a running one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::kv::Stats;
use base::{CredentialId, IpNetwork, TenantId, Timestamp};
use gateway::directory::Directory;
use gateway::{BusiestKeys, ConnectionFigures, Delays, DoorFigures};
use runtime::net::Limits;
use runtime::net::handover::NamedSocket;
use runtime::net::tls::{TlsFiles, TlsServer};

use crate::config::TlsListener;
use crate::observe::reading::FleetReading;

/// Why the data plane did not do what control asked; nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PlaneError(pub(crate) String);

/// Hears which credentials have ended.
pub(crate) type HearsEnds = Box<dyn Fn(&[CredentialId]) + Send + Sync>;

/// The data of all tenants, and the way to it for clients. Calls that change memory come one at a time.
pub(crate) trait DataPlane: Send + Sync {
    /// Whether clients are served; with no daemon running the state is changed all the same.
    fn is_running(&self) -> bool;

    /// Whether tenants' data is on nodes, and not in this process.
    fn has_nodes(&self) -> bool {
        false
    }

    /// Makes an empty cache for a tenant that has none.
    fn create_tenant(
        &self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
    ) -> Result<(), PlaneError>;

    /// Changes what a tenant's cache may hold; items go as far as that needs.
    fn set_quota(&self, id: TenantId, quota_bytes: u64) -> Result<(), PlaneError>;

    /// Changes the largest value; larger ones that are there stay.
    fn set_item_size(&self, id: TenantId, item_size_max: u32) -> Result<(), PlaneError>;

    /// Empties a tenant's cache.
    fn flush(&self, id: TenantId) -> Result<(), PlaneError>;

    /// Gives a tenant's cache back; its connections have lost their credential already. Returns once
    /// its memory is free, or false where that takes too long.
    fn remove(&self, id: TenantId) -> bool;

    /// Puts a new directory in force for logins and for sessions that are open.
    fn publish(&self, directory: Directory);

    /// A tenant's figures since the start, if it has a cache.
    fn stats(&self, id: TenantId) -> Option<(Stats, ConnectionFigures)>;

    /// Figures that belong to no tenant.
    fn totals(&self) -> Totals;

    /// Whom to tell, from now on, of credentials that a new directory has ended; once.
    fn tell_ends(&self, _to: HearsEnds) {}

    /// The directory in force.
    fn directory(&self) -> Arc<Directory> {
        Arc::default()
    }

    /// What a tenant's connections do, since the start; reads counters alone.
    fn clients(&self, _id: TenantId) -> ConnectionFigures {
        ConnectionFigures::default()
    }

    /// How long a tenant's requests waited from being there to being answered, since the start.
    fn delays(&self, _id: TenantId) -> Delays {
        Delays::default()
    }

    /// The keys that a tenant's clients ask for most, at most `count`, of a sample that is taken as
    /// long as somebody asks.
    fn busiest_keys(&self, _id: TenantId, _count: usize) -> BusiestKeys {
        BusiestKeys::default()
    }

    /// How long ago each event loop turned; none where there are none.
    fn loop_ages(&self) -> Vec<Duration> {
        Vec::new()
    }

    /// The fleet, where tenants' data is on its nodes.
    fn fleet(&self, _now: Timestamp) -> Option<FleetReading> {
        None
    }

    /// Whose the connections of these clients are, as far as they have one; asks the loops, which
    /// answer within a moment or not at all.
    fn owners(&self, _clients: &[SocketAddr]) -> Vec<(SocketAddr, TenantId)> {
        Vec::new()
    }
}

/// Figures of the whole process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Client connections open now, those at the door included.
    pub(crate) connections: u64,
    /// Of those, not authenticated yet.
    pub(crate) at_door: u64,
    /// Connections that were turned away for want of a place since the start.
    pub(crate) refused: u64,
    /// Connections that may be open at once.
    pub(crate) connections_max: u64,
    /// What the door did.
    pub(crate) door: DoorFigures,
    /// When the certificate begins and ends to be good that clients are shown, in seconds since 1970, if
    /// they are shown one.
    pub(crate) certificate_validity_s: Option<(u64, u64)>,
}

/// What a data plane starts from.
#[derive(Clone, Debug)]
pub(crate) struct PlaneConfig {
    /// Where the open tenant is served over TCP, if it is.
    pub(crate) memcache: Option<SocketAddr>,
    /// Where all others are, after authentication.
    pub(crate) memcache_auth: SocketAddr,
    /// Where they are served over TLS beside that, if they are.
    pub(crate) memcache_tls: Option<SocketAddr>,
    /// Unix socket of the open tenant.
    pub(crate) unix: Option<PathBuf>,
    /// Its permissions.
    pub(crate) unix_mode: u32,
    /// Balancers, which name the client that they connect for.
    pub(crate) proxy_protocol_from: Vec<IpNetwork>,
    /// What TLS is spoken with, where it is.
    pub(crate) tls: Option<TlsFiles>,
    /// The listeners that speak it beside `memcache_tls`.
    pub(crate) tls_listeners: Vec<TlsListener>,
    /// Event loops.
    pub(crate) threads: u16,
    /// What they allow.
    pub(crate) limits: Limits,
}

/// A data plane with bound listeners, owned by `up`.
pub(crate) trait RunningPlane {
    /// Where clients connect: of the open tenant, and of all others.
    fn addresses(&self) -> (Option<SocketAddr>, SocketAddr);

    /// Where clients of all others connect over TLS beside that.
    fn tls_address(&self) -> Option<SocketAddr>;

    /// What TLS is spoken with, for a reload of its files.
    fn tls_server(&self) -> Option<Arc<TlsServer>>;

    /// The TCP listeners by the key of their address.
    fn listeners(&self) -> Vec<(&'static str, SocketAddr)> {
        let (open, auth) = self.addresses();
        let tls = self.tls_address().map(|addr| ("memcache_tls", addr));
        let open = open.map(|addr| ("memcache", addr));
        let all = open.into_iter().chain([("memcache_auth", auth)]).chain(tls);
        all.collect()
    }

    /// All listeners for a successor, as long as none of them serves.
    fn sockets(&self) -> std::io::Result<Vec<NamedSocket>>;

    /// Begins to accept; all tenants are there and the directory is published.
    fn serve(&mut self) -> Result<(), PlaneError>;

    /// Whether nobody serves any more although nobody asked for that.
    fn has_failed(&self) -> bool;

    /// Stops accepting, and lets connections go between requests, evenly over a time. Returns when
    /// nobody accepts.
    fn retire(&mut self, over: Duration);

    /// Stops accepting, closes idle connections, finishes what is in flight for at most `timeout`,
    /// then closes the rest. Returns when that is done.
    fn drain(&mut self, timeout: Duration);
}

/// A data plane as control sees it, and as its owner does.
pub(crate) type Started = (Arc<dyn DataPlane>, Box<dyn RunningPlane>);
