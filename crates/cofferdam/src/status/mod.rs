//! The status page: probes, events and time in, pages out; in `up`, or as a process of its own.

mod events;
mod export;
mod hub;
mod keeper;
mod mail;
mod probes;
mod role;
mod settings;
mod subscriptions;
#[cfg(test)]
mod testing;
mod web;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use runtime::Clock;
use runtime::http::{PublicListener, PublicServer, Site};
use runtime::net::tls::TlsServer;

use crate::config::Config;
use crate::failure::Failure;
pub(crate) use events::of_observatory;
use hub::Hub;
use keeper::Keeper;
use mail::Mailer;
use probes::Probes;
pub(crate) use role::run;
pub(crate) use settings::{Doorman, Gateway, PROBE_TIMEOUT, Settings, gateways};
use subscriptions::Subscriptions;

/// The file of incidents and history, in the data directory.
const STORE: &str = "status.db";
/// The operators' token, in the data directory.
pub(crate) const TOKEN: &str = "status.token";

/// A status page that is served, or that could be again.
pub(crate) struct StatusPage {
    settings: Settings,
    listener: PublicListener,
    clock: Clock,
    running: Mutex<Option<Running>>,
}

/// What ends when it is dropped, in this order: nobody is let in, nobody is told, nobody probes, all is
/// kept.
struct Running {
    _server: PublicServer,
    _subscriptions: Subscriptions,
    _probes: Probes,
    _keeper: Keeper,
}

/// The page's port: a successor's or a manager's socket if there is one.
pub(crate) fn listen(addr: SocketAddr, socket: Option<OwnedFd>) -> io::Result<PublicListener> {
    match socket {
        Some(socket) => PublicListener::adopt(socket),
        None => PublicListener::bind(addr),
    }
}

/// Whether the files that a page is started with can be read.
pub(crate) fn check_files(config: &Config) -> Result<(), Failure> {
    gateways(config)?;
    Mailer::of(config).map(drop)
}

impl StatusPage {
    /// A page on `listener` that nobody is served yet.
    pub(crate) fn new(settings: Settings, listener: PublicListener, clock: Clock) -> Self {
        Self {
            settings,
            listener,
            clock,
            running: Mutex::default(),
        }
    }

    /// Begins to probe and to serve.
    pub(crate) fn start(&self, dir: &Path) -> Result<(), Failure> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Ok(());
        }
        let is_off_loopback = self.addr().is_some_and(|addr| !addr.ip().is_loopback());
        if is_off_loopback && !self.settings.is_secure() {
            tracing::warn!(
                "the status page can be reached from other machines and what people log in with travels \
                 in the clear: put \"status\" into tls.listeners, or have a proxy before it and its \
                 https address in status.url"
            );
        }
        let token = crate::files::token(&dir.join(TOKEN))?;
        let (store, kept) = keeper::open(&dir.join(STORE), self.clock.now())?;
        let hub = Arc::new(Hub::new(&self.settings, kept, self.clock));
        let keeper = Keeper::start(Arc::clone(&hub), store, &self.settings)?;
        let subscriptions = Subscriptions::start(&hub, &self.settings)?;
        let probes = Probes::start(&hub, &self.settings, self.clock)?;
        let router = web::router(&hub, &self.settings, token)?;
        let server = self.listener.serve(Site {
            name: "status-http",
            router,
            hosts: self.settings.hosts.clone(),
            hosts_key: "status.hosts",
            tls: self.settings.tls.clone(),
            gives_way: true,
        })?;
        *running = Some(Running {
            _server: server,
            _subscriptions: subscriptions,
            _probes: probes,
            _keeper: keeper,
        });
        Ok(())
    }

    /// Stops, and gives the files back; who comes meanwhile waits at the listener.
    pub(crate) fn pause(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(running);
    }

    /// What it speaks TLS with, for a reload of its files.
    pub(crate) fn tls_server(&self) -> Option<Arc<TlsServer>> {
        self.settings.tls.clone()
    }

    /// Where it is served.
    pub(crate) fn addr(&self) -> Option<SocketAddr> {
        self.listener.addr().ok()
    }

    /// Its socket, for a successor.
    pub(crate) fn socket(&self) -> io::Result<OwnedFd> {
        self.listener.socket().try_clone_to_owned()
    }
}
