//! `cofferdam node` with `fleet.role = "volume"`: volumes, and no cache.
//!
//! What `up` has for volumes, behind the admin API of a node: the state with tenants and volumes, the NBD
//! listeners, events and metrics. Tenants here own volumes and no memory.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;

use base::TenantId;
use base::kv::Stats;
use gateway::ConnectionFigures;
use gateway::directory::Directory;
use runtime::state::State;
use runtime::{Clock, Published, descriptors};
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::ending::CHECK_PERIOD;
use super::signals::SignalThread;
use super::volumes::VolumeService;
use super::{admin, reload_of};
use crate::api::Api;
use crate::config::{Addr, Config, Overrides, Switch};
use crate::control::{Control, Sizes};
use crate::failure::Failure;
use crate::hooks::{Hooks, Messenger};
use crate::inherited::Inherited;
use crate::observe::{Observatory, Observer};
use crate::plane::{DataPlane, PlaneError, Totals};
use crate::reload::Reloader;
use crate::{logging, node_admin, preflight, tls};

/// Runs until SIGTERM or SIGINT, then lets clients and volumes go.
pub(crate) fn run(file: Option<&Path>, overrides: &Overrides) -> Result<(), Failure> {
    let config = Config::load(file, overrides)?;
    let level = logging::start(config.log_format, config.log_level);
    preflight::check(&config)?;
    // From here on a signal waits to be handled, however far the start has come.
    let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    descriptors::raise_limit()?;
    let clock = Clock::new();
    let dir = config.data_dir();
    let state = State::open(&dir)?;
    let plane: Arc<dyn DataPlane> = Arc::new(NoCaches::default());
    let mut none = Inherited::default();
    let mut volumes = VolumeService::bind(&config, clock, &mut none, &plane)?;
    let observatory = Arc::new(Observatory::new(Arc::clone(&plane), clock, &dir));
    let sizes = Sizes {
        memory_bytes: config.memory_bytes(),
        item_size_max: config.item_size_bytes(),
    };
    let control = Arc::new(Control::new(state, Arc::clone(&plane), sizes, Vec::new()));
    control.restore()?;
    let volume_plane = volumes.plane();
    observatory.watch_volumes(&volume_plane.volumes);
    control.serve_volumes(volume_plane);
    control.restore_volumes()?;
    let admin_tls = tls::of_admin(&config)?;
    let reloader = Reloader::new(file, overrides, &config, None, Arc::clone(&control), level)
        .with_tls(volumes.tls_server(), tls::nbd_files)
        .with_tls(admin_tls.clone(), tls::admin_files);
    let reloader = Arc::new(reloader);
    let mut at_port = config.clone();
    at_port.listen.admin = admin_place(&config);
    let listeners = admin::listen(&at_port, &mut none, admin_tls)?;
    let ready = Arc::new(AtomicBool::new(false));
    let api = Api {
        reload: Some(reload_of(&reloader)),
        ready: Arc::clone(&ready),
        observatory: Some(Arc::clone(&observatory)),
        ..Api::new(control, clock)
    };
    let admin_addr = listeners.tcp_addr();
    let server = listeners.serve(api.router(), admin::guard(&config)?)?;
    volumes.serve()?;
    let watched: Vec<_> = volumes
        .tcp()
        .map(|addr| ("nbd", addr))
        .into_iter()
        .collect();
    let observer = Observer::start(Arc::clone(&observatory), &watched, &dir)?;
    let (hooks, alerts) = (Hooks::of(&config)?, Arc::clone(&observatory.alerts));
    let messenger = Messenger::start(hooks, alerts, observatory, plane, clock, &dir)?;
    ready.store(true, Ordering::Release);
    tell_ready(&config, volumes.tcp(), admin_addr);
    let signals = SignalThread::start(signals, Arc::clone(&reloader))?;
    while signals.stop.recv_timeout(CHECK_PERIOD) == Err(RecvTimeoutError::Timeout) {}
    ready.store(false, Ordering::Release);
    let timeout = reloader.drain_timeout();
    tracing::info!(?timeout, "draining; a second signal stops at once");
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    drop(messenger);
    volumes.drain(timeout).wait();
    drop(server);
    observer.end();
    signals.end();
    tracing::info!("stopped");
    Ok(())
}

/// What is configured, but for the default, which is a gateway's.
fn admin_place(config: &Config) -> Switch<Addr> {
    match node_admin::address(config.listen.admin) {
        Some(addr) => Switch::On(Addr(addr)),
        None => Switch::Off,
    }
}

fn tell_ready(config: &Config, nbd: Option<SocketAddr>, admin: Option<SocketAddr>) {
    let shown = |addr: Option<SocketAddr>| addr.map_or("off".to_owned(), |addr| addr.to_string());
    let (name, nbd, admin) = (&config.fleet.name, shown(nbd), shown(admin));
    tracing::info!(node = %name, nbd, admin, "ready");
    println!("ready node={name} nbd={nbd} admin={admin}");
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// The data plane of a process without caches: it knows tenants, since volumes are theirs.
#[derive(Default)]
struct NoCaches {
    directory: Published<Directory>,
}

impl DataPlane for NoCaches {
    fn is_running(&self) -> bool {
        true
    }

    fn create_tenant(&self, _: TenantId, _: u64, _: u32) -> Result<(), PlaneError> {
        Ok(())
    }

    fn set_quota(&self, _: TenantId, _: u64) -> Result<(), PlaneError> {
        Ok(())
    }

    fn set_item_size(&self, _: TenantId, _: u32) -> Result<(), PlaneError> {
        Ok(())
    }

    fn flush(&self, _: TenantId) -> Result<(), PlaneError> {
        Ok(())
    }

    fn remove(&self, _: TenantId) -> bool {
        true
    }

    fn publish(&self, directory: Directory) {
        self.directory.publish(directory);
    }

    fn stats(&self, _: TenantId) -> Option<(Stats, ConnectionFigures)> {
        None
    }

    fn totals(&self) -> Totals {
        Totals::default()
    }

    fn directory(&self) -> Arc<Directory> {
        self.directory.get()
    }
}
