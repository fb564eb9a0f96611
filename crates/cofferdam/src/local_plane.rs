//! The data plane of one process: event loops over the caches that it holds itself.

use std::net::SocketAddr;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::TenantId;
use base::kv::Stats;
use gateway::directory::Directory;
use gateway::{ConnectionFigures, Delays, Figures};
use runtime::net::tls::TlsServer;
use runtime::net::{ListenError, Listener, Loops, LoopsConfig};
use runtime::{Clock, Published, secrets};

use crate::config::TlsListener;
use crate::failure::Failure;
use crate::local_backend::{Caches, LocalBackend};
use crate::plane::{DataPlane, PlaneConfig, PlaneError, RunningPlane, Started, Totals};
use runtime::state::DEFAULT_TENANT;

/// How long the memory of a removed tenant may take to come back: its sessions end within a second,
/// and the kernel takes some milliseconds for each GiB.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(20);

/// A listener that cannot be had, by the key of its address.
#[derive(Debug, thiserror::Error)]
#[error("{error}{remedy}", remedy = remedy(key, error))]
pub(crate) struct NotListening {
    key: &'static str,
    error: ListenError,
}

impl NotListening {
    fn new(key: &'static str, error: ListenError) -> Self {
        Self { key, error }
    }
}

/// What an error does not say itself that knows nothing of keys and flags.
fn remedy(key: &str, error: &ListenError) -> String {
    let flag = key.replace('_', "-");
    match (error, key) {
        (ListenError::Bind { .. }, "unix") => ": choose another listen.unix (--unix)".to_owned(),
        (ListenError::Bind { .. }, "memcache_tls") => {
            ": choose another listen.memcache_tls, port 0 picks one".to_owned()
        }
        (ListenError::Bind { .. }, _) => {
            format!(": choose another listen.{key} (--{flag}), port 0 picks one")
        }
        (ListenError::OpenOffLoopback(_) | ListenError::NotListening, _) => String::new(),
        (ListenError::PathInUse(_), _) => format!(" with listen.{key} (--{flag})"),
    }
}

/// Binds the listeners; nobody is let in before [`RunningPlane::serve`].
pub(crate) fn start(config: &PlaneConfig, clock: Clock) -> Result<Started, Failure> {
    let tls = config.tls.as_ref().map(TlsServer::new).transpose()?;
    let tls = tls.map(Arc::new);
    let encrypted = |listener: Listener, key| match &tls {
        Some(server) if config.tls_listeners.contains(&key) => {
            listener.with_tls(Arc::clone(server))
        }
        _ => listener,
    };
    let mut listeners = Vec::new();
    let auth = Listener::authenticating(config.memcache_auth)
        .map_err(|error| NotListening::new("memcache_auth", error))?;
    let auth_addr = auth.local_addr().unwrap_or(config.memcache_auth);
    listeners.push(encrypted(auth, TlsListener::MemcacheAuth));
    let mut tls_addr = None;
    if let (Some(addr), Some(server)) = (config.memcache_tls, &tls) {
        let listener = Listener::authenticating(addr)
            .map_err(|error| NotListening::new("memcache_tls", error))?;
        tls_addr = listener.local_addr();
        listeners.push(listener.with_tls(Arc::clone(server)));
    }
    let mut open_addr = None;
    if let Some(addr) = config.memcache {
        let open = Listener::open(addr, DEFAULT_TENANT)
            .map_err(|error| NotListening::new("memcache", error))?;
        open_addr = open.local_addr();
        listeners.push(encrypted(open, TlsListener::Memcache));
    }
    if let Some(path) = &config.unix {
        let unix = Listener::unix(path, config.unix_mode, DEFAULT_TENANT)
            .map_err(|error| NotListening::new("unix", error))?;
        listeners.push(unix);
    }
    let threads = usize::from(config.threads).max(1);
    let plane = Arc::new(LocalPlane {
        clock,
        caches: Arc::default(),
        directory: Arc::default(),
        figures: Arc::new(Figures::new(threads)),
        loops: OnceLock::new(),
        connections_max: config.limits.connections_max,
    });
    let running = RunningLocalPlane {
        addresses: (open_addr, auth_addr),
        tls_address: tls_addr,
        tls_server: tls,
        waiting: Some(LoopsConfig {
            threads,
            limits: config.limits,
            listeners,
            proxy_protocol_from: config.proxy_protocol_from.clone(),
            clock,
            directory: Arc::clone(&plane.directory),
            figures: Arc::clone(&plane.figures),
        }),
        plane: Arc::clone(&plane),
    };
    Ok((plane, Box::new(running)))
}

struct LocalPlane {
    clock: Clock,
    caches: Arc<Caches>,
    directory: Arc<Published<Directory>>,
    figures: Arc<Figures>,
    loops: OnceLock<Loops>,
    connections_max: usize,
}

impl LocalPlane {
    fn cache(&self, id: TenantId) -> Result<Arc<cache::TenantCache>, PlaneError> {
        self.caches
            .get(id)
            .ok_or_else(|| PlaneError(format!("{id} has no cache in this process")))
    }
}

impl DataPlane for LocalPlane {
    fn is_running(&self) -> bool {
        true
    }

    fn create_tenant(
        &self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
    ) -> Result<(), PlaneError> {
        let hash_key = secrets::salt().map_err(refused)?;
        self.caches
            .create(self.clock.now(), id, quota_bytes, item_size_max, hash_key)
            .map_err(refused)
    }

    fn set_quota(&self, id: TenantId, quota_bytes: u64) -> Result<(), PlaneError> {
        let cache = self.cache(id)?;
        cache
            .set_quota(self.clock.now(), quota_bytes)
            .map_err(refused)
    }

    fn set_item_size(&self, id: TenantId, item_size_max: u32) -> Result<(), PlaneError> {
        self.cache(id)?
            .set_item_size_max(item_size_max)
            .map_err(refused)
    }

    fn flush(&self, id: TenantId) -> Result<(), PlaneError> {
        let now = self.clock.now();
        self.cache(id)?.flush(now, now);
        Ok(())
    }

    fn remove(&self, id: TenantId) -> bool {
        let is_back = self.caches.remove(id);
        self.figures.forget(id);
        // Without a sender it was dropped at once, or there was none.
        !matches!(
            is_back.recv_timeout(REMOVAL_TIMEOUT),
            Err(RecvTimeoutError::Timeout)
        )
    }

    fn publish(&self, directory: Directory) {
        self.directory.publish(directory);
        if let Some(loops) = self.loops.get() {
            loops.wake();
        }
    }

    fn stats(&self, id: TenantId) -> Option<(Stats, ConnectionFigures)> {
        let stats = self.caches.get(id)?.stats();
        Some((stats, self.figures.tenant(id).sum()))
    }

    fn loop_ages(&self) -> Vec<Duration> {
        self.loops.get().map(Loops::turn_ages).unwrap_or_default()
    }

    fn owners(&self, clients: &[SocketAddr]) -> Vec<(SocketAddr, TenantId)> {
        let owners = self.loops.get().map(|loops| loops.owners(clients));
        owners.unwrap_or_default()
    }

    fn delays(&self, id: TenantId) -> Delays {
        self.figures.tenant(id).delays()
    }

    fn directory(&self) -> Arc<Directory> {
        self.directory.get()
    }

    fn totals(&self) -> Totals {
        let loops = self.loops.get().map(Loops::totals).unwrap_or_default();
        Totals {
            connections: loops.connections,
            at_door: loops.at_door,
            refused: loops.refused,
            connections_max: self.connections_max as u64,
        }
    }
}

fn refused(error: impl std::fmt::Display) -> PlaneError {
    PlaneError(error.to_string())
}

struct RunningLocalPlane {
    plane: Arc<LocalPlane>,
    addresses: (Option<SocketAddr>, SocketAddr),
    tls_address: Option<SocketAddr>,
    tls_server: Option<Arc<TlsServer>>,
    /// What the loops are started with, until they are.
    waiting: Option<LoopsConfig>,
}

impl RunningPlane for RunningLocalPlane {
    fn addresses(&self) -> (Option<SocketAddr>, SocketAddr) {
        self.addresses
    }

    fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    fn tls_server(&self) -> Option<Arc<TlsServer>> {
        self.tls_server.clone()
    }

    fn serve(&mut self) -> Result<(), PlaneError> {
        let Some(config) = self.waiting.take() else {
            return Ok(());
        };
        let threads = config.threads;
        let caches = &self.plane.caches;
        let loops = Loops::start(config, |loop_index| {
            LocalBackend::new(Arc::clone(caches), loop_index, threads)
        })
        .map_err(refused)?;
        // Nothing else sets it, so it was empty.
        let _ = self.plane.loops.set(loops);
        Ok(())
    }

    fn has_failed(&self) -> bool {
        self.plane.loops.get().is_some_and(Loops::has_failed)
    }

    fn drain(&mut self, timeout: Duration) {
        if let Some(loops) = self.plane.loops.get() {
            loops.drain(timeout);
        }
    }
}

#[cfg(test)]
#[path = "local_plane_test.rs"]
mod tests;
