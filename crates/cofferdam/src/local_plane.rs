//! The data plane of one process: event loops over the caches that it holds itself, or over nodes.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::kv::Stats;
use base::{TenantId, Timestamp};
use gateway::directory::Directory;
use gateway::{BusiestKeys, ConnectionFigures, Delays, Figures};
use runtime::net::handover::NamedSocket;
use runtime::net::tls::TlsServer;
use runtime::net::{Loops, LoopsConfig, UpstreamConfig};
use runtime::{Clock, Published};

use crate::data::Data;
use crate::failure::Failure;
use crate::inherited::Inherited;
use crate::listeners;
use crate::local_backend::LocalBackend;
use crate::observe::reading::FleetReading;
use crate::plane::{DataPlane, HearsEnds, PlaneConfig, PlaneError, RunningPlane, Started, Totals};

/// Binds the listeners, or takes them over; nobody is let in before [`RunningPlane::serve`].
pub(crate) fn start(
    config: &PlaneConfig,
    clock: Clock,
    inherited: &mut Inherited,
    data: Data,
) -> Result<Started, Failure> {
    let mut tls = |files| TlsServer::successor(files, inherited.take_tickets());
    let tls = config.tls.as_ref().map(&mut tls).transpose()?;
    let tls = tls.map(Arc::new);
    let listeners = listeners::all(config, tls.as_ref(), inherited)?;
    let address = |key: &str| {
        let listener = listeners.iter().find(|(name, _)| *name == key);
        listener.and_then(|(_, listener)| listener.local_addr())
    };
    let auth = address("memcache_auth").unwrap_or(config.memcache_auth);
    let addresses = (address("memcache"), auth);
    let tls_address = address("memcache_tls");
    let names = listeners.iter().map(|(name, _)| *name).collect();
    let listeners = listeners
        .into_iter()
        .map(|(_, listener)| listener)
        .collect();
    let threads = usize::from(config.threads).max(1);
    let plane = Arc::new(LocalPlane {
        clock,
        data,
        directory: Arc::default(),
        figures: Arc::new(Figures::new(threads)),
        loops: OnceLock::new(),
        connections_max: config.limits.connections_max,
        tls: tls.clone(),
        hears_ends: OnceLock::new(),
    });
    let running = RunningLocalPlane {
        addresses,
        tls_address,
        tls_server: tls,
        names,
        waiting: Some(LoopsConfig {
            threads,
            limits: config.limits,
            listeners,
            proxy_protocol_from: config.proxy_protocol_from.clone(),
            clock,
            directory: Arc::clone(&plane.directory),
            figures: Arc::clone(&plane.figures),
            upstream: upstream(&plane.data),
        }),
        plane: Arc::clone(&plane),
    };
    Ok((plane, Box::new(running)))
}

struct LocalPlane {
    clock: Clock,
    data: Data,
    directory: Arc<Published<Directory>>,
    figures: Arc<Figures>,
    loops: OnceLock<Loops>,
    connections_max: usize,
    tls: Option<Arc<TlsServer>>,
    /// Another process that has connections of this one's tenants.
    hears_ends: OnceLock<HearsEnds>,
}

/// What connections to nodes are made with, if there are any.
fn upstream(data: &Data) -> Option<UpstreamConfig> {
    match data {
        Data::Here(_) => None,
        Data::Nodes(fleet) => Some(UpstreamConfig {
            view: fleet.published(),
            tls: fleet.tls(),
        }),
    }
}

impl LocalPlane {
    /// Has the loops look at what was published.
    fn wake(&self) {
        if let Some(loops) = self.loops.get() {
            loops.wake();
        }
    }
}

impl DataPlane for LocalPlane {
    fn is_running(&self) -> bool {
        true
    }

    fn has_nodes(&self) -> bool {
        matches!(self.data, Data::Nodes(_))
    }

    fn create_tenant(
        &self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
    ) -> Result<(), PlaneError> {
        let now = self.clock.now();
        self.data.create(now, id, quota_bytes, item_size_max)?;
        self.wake();
        Ok(())
    }

    fn set_quota(&self, id: TenantId, quota_bytes: u64) -> Result<(), PlaneError> {
        self.data.set_quota(self.clock.now(), id, quota_bytes)?;
        self.wake();
        Ok(())
    }

    fn set_item_size(&self, id: TenantId, item_size_max: u32) -> Result<(), PlaneError> {
        self.data.set_item_size(id, item_size_max)?;
        self.wake();
        Ok(())
    }

    fn flush(&self, id: TenantId) -> Result<(), PlaneError> {
        self.data.flush(self.clock.now(), id)?;
        self.wake();
        Ok(())
    }

    fn remove(&self, id: TenantId) -> bool {
        let is_back = self.data.remove(id);
        self.figures.forget(id);
        self.wake();
        is_back
    }

    fn publish(&self, directory: Directory) {
        if let Data::Nodes(fleet) = &self.data {
            fleet.note_directory(&directory);
        }
        if let Some(hears_ends) = self.hears_ends.get() {
            let ended = directory.ended_since(&self.directory.get());
            if !ended.is_empty() {
                hears_ends(&ended);
            }
        }
        self.directory.publish(directory);
        self.wake();
    }

    fn tell_ends(&self, to: HearsEnds) {
        // A process has one predecessor.
        let _ = self.hears_ends.set(to);
    }

    fn stats(&self, id: TenantId) -> Option<(Stats, ConnectionFigures)> {
        let stats = self.data.stats(id)?;
        Some((stats, self.figures.tenant(id).sum()))
    }

    fn busiest_keys(&self, id: TenantId, count: usize) -> BusiestKeys {
        let now = self.clock.now();
        self.figures.tenant(id).busiest_keys(now, count)
    }

    fn loop_ages(&self) -> Vec<Duration> {
        self.loops.get().map(Loops::turn_ages).unwrap_or_default()
    }

    fn owners(&self, clients: &[SocketAddr]) -> Vec<(SocketAddr, TenantId)> {
        let owners = self.loops.get().map(|loops| loops.owners(clients));
        owners.unwrap_or_default()
    }

    fn fleet(&self, now: Timestamp) -> Option<FleetReading> {
        match &self.data {
            Data::Here(_) => None,
            Data::Nodes(fleet) => Some(fleet.reading(now)),
        }
    }

    fn clients(&self, id: TenantId) -> ConnectionFigures {
        self.figures.tenant(id).sum()
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
            door: self.figures.door(),
            certificate_validity_s: self.tls.as_ref().and_then(|tls| tls.validity_unix_s()),
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
    /// Of the listeners, in their order.
    names: Vec<&'static str>,
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

    fn sockets(&self) -> io::Result<Vec<NamedSocket>> {
        let waiting = self.waiting.iter().flat_map(|config| &config.listeners);
        let all = self.names.iter().zip(waiting);
        all.map(|(name, listener)| {
            let socket = listener.as_fd().try_clone_to_owned()?;
            Ok(((*name).to_owned(), socket))
        })
        .collect()
    }

    fn serve(&mut self) -> Result<(), PlaneError> {
        let Some(config) = self.waiting.take() else {
            return Ok(());
        };
        let threads = config.threads;
        let loops = match &self.plane.data {
            Data::Here(caches) => Loops::start(config, |loop_index| {
                LocalBackend::new(Arc::clone(caches), loop_index, threads)
            }),
            Data::Nodes(fleet) => Loops::start(config, |index| fleet.backend(index)),
        }
        .map_err(refused)?;
        // Nothing else sets it, so it was empty.
        let _ = self.plane.loops.set(loops);
        if let Data::Nodes(fleet) = &self.plane.data {
            let plane = Arc::downgrade(&self.plane);
            fleet.wake_with(move || {
                if let Some(plane) = plane.upgrade() {
                    plane.wake();
                }
            });
        }
        Ok(())
    }

    fn has_failed(&self) -> bool {
        self.plane.loops.get().is_some_and(Loops::has_failed)
    }

    fn retire(&mut self, over: Duration) {
        if let Some(loops) = self.plane.loops.get() {
            loops.retire(over);
        }
    }

    fn drain(&mut self, timeout: Duration) {
        if let Some(loops) = self.plane.loops.get() {
            loops.drain(timeout);
        }
    }
}
