//! The tenants' console: a listener of its own, where each tenant logs in with a credential of its own
//! and sees and does what is its own. It has no way to anything else.

mod access;
mod advice;
mod deeds;
mod keys;
mod live;
mod now;
mod pages;
mod standing;
#[cfg(test)]
mod testing;
mod workers;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use base::{CredentialId, Rights, TenantId};
use runtime::Clock;
use runtime::http::{PublicListener, PublicServer, Site};
use runtime::net::tls::TlsServer;

use crate::alerts::AlertRules;
use crate::audit::Audit;
use crate::control::Control;
use crate::failure::Failure;
use crate::hooks::Hooks;
use crate::observe::Observatory;
use crate::plane::DataPlane;
use crate::web::assets;
use crate::web::{Cookie, Logins, Visitor, harden};
use workers::Workers;

/// A form of ours with everything filled in.
const BODY_LEN_MAX: usize = 16 * 1024;
/// Pages that are followed live at once: of one tenant, and of all.
const FOLLOWERS_OF_ONE: u32 = 8;
const FOLLOWERS_MAX: u32 = 96;

/// What the console is over.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) control: Arc<Control>,
    pub(crate) plane: Arc<dyn DataPlane>,
    pub(crate) observatory: Arc<Observatory>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) alerts: Arc<AlertRules>,
    pub(crate) hooks: Hooks,
    pub(crate) clock: Clock,
}

/// A console that is served, or that could be again.
pub(crate) struct TenantConsole {
    parts: Parts,
    hosts: Vec<String>,
    tls: Option<Arc<TlsServer>>,
    listener: PublicListener,
    running: Mutex<Option<PublicServer>>,
}

impl TenantConsole {
    /// On `listener`, over TLS if it is given; nobody is served yet.
    pub(crate) fn new(
        parts: Parts,
        listener: PublicListener,
        tls: Option<Arc<TlsServer>>,
        hosts: Vec<String>,
    ) -> Self {
        Self {
            parts,
            hosts,
            tls,
            listener,
            running: Mutex::default(),
        }
    }

    /// Begins to serve.
    pub(crate) fn start(&self) -> Result<(), Failure> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            let web = Web::new(self.parts.clone(), self.tls.is_some())?;
            *running = Some(self.listener.serve(Site {
                name: "tenant-console",
                router: router(Arc::new(web)),
                hosts: self.hosts.clone(),
                hosts_key: "tenant_console.hosts",
                tls: self.tls.clone(),
                gives_way: true,
            })?);
        }
        Ok(())
    }

    /// Stops; who comes meanwhile waits at the listener.
    pub(crate) fn pause(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = running.take();
        drop(running);
        drop(stopped);
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

/// Who is logged in: a tenant, by one of its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    tenant: TenantId,
    name: Arc<str>,
    username: String,
    credential: CredentialId,
    rights: Rights,
}

type Session = Visitor<Member>;

/// What the handlers share.
struct Web {
    parts: Parts,
    logins: Logins<Member>,
    workers: Workers,
    followers: Mutex<HashMap<TenantId, u32>>,
}

type Shared = Arc<Web>;

impl Web {
    fn new(parts: Parts, is_secure: bool) -> Result<Self, Failure> {
        let cookie = Cookie {
            name: "cofferdam_tenant",
            path: "/",
            is_secure,
        };
        Ok(Self {
            logins: Logins::new(cookie, parts.clock)?,
            workers: Workers::start(Arc::clone(&parts.control))?,
            followers: Mutex::default(),
            parts,
        })
    }

    /// Takes a place for a page that is followed, which is given back when it is dropped.
    fn follow(self: &Arc<Self>, tenant: TenantId) -> Option<Place> {
        let mut followers = self
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let all: u32 = followers.values().sum();
        let own = followers.entry(tenant).or_default();
        if *own >= FOLLOWERS_OF_ONE || all >= FOLLOWERS_MAX {
            return None;
        }
        *own += 1;
        Some(Place {
            web: Arc::clone(self),
            tenant,
        })
    }
}

/// A page that is followed.
struct Place {
    web: Shared,
    tenant: TenantId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let followers = self.web.followers.lock();
        let mut followers = followers.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = followers.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                followers.remove(&self.tenant);
            }
        }
    }
}

fn router(web: Shared) -> Router {
    let inside = Router::new()
        .merge(pages::routes())
        .merge(live::routes())
        .merge(deeds::routes())
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(&web),
            access::require,
        ));
    Router::new()
        .merge(inside)
        .merge(access::routes())
        .merge(assets::routes("/static/{name}"))
        .fallback(async || pages::not_found("There is no such page."))
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .layer(middleware::from_fn(harden))
        .with_state(web)
}

#[cfg(test)]
#[path = "console_test.rs"]
mod tests;
