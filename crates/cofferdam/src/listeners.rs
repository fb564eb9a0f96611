//! Clients' listeners: bound, or taken over from whoever had them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base::TenantId;
use runtime::net::tls::TlsServer;
use runtime::net::{ListenError, Listener};
use runtime::state::DEFAULT_TENANT;

use crate::config::TlsListener;
use crate::inherited::{Inherited, UNIX, UNIX_OF_MANAGER};
use crate::plane::PlaneConfig;

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

/// All listeners, by the key of their address.
pub(crate) fn all(
    config: &PlaneConfig,
    tls: Option<&Arc<TlsServer>>,
    inherited: &mut Inherited,
) -> Result<Vec<(&'static str, Listener)>, NotListening> {
    let encrypted = |listener: Listener, is_wanted: bool| match tls {
        Some(server) if is_wanted => listener.with_tls(Arc::clone(server)),
        _ => listener,
    };
    let wanted = &config.tls_listeners;
    let auth = tcp("memcache_auth", config.memcache_auth, None, inherited)?;
    let auth = encrypted(auth, wanted.contains(&TlsListener::MemcacheAuth));
    let mut all = vec![("memcache_auth", auth)];
    if let Some(addr) = config.memcache_tls {
        let listener = tcp("memcache_tls", addr, None, inherited)?;
        all.push(("memcache_tls", encrypted(listener, true)));
    }
    if let Some(addr) = config.memcache {
        let open = tcp("memcache", addr, Some(DEFAULT_TENANT), inherited)?;
        let open = encrypted(open, wanted.contains(&TlsListener::Memcache));
        all.push(("memcache", open));
    }
    if let Some(path) = &config.unix {
        all.push(unix(path, config.unix_mode, inherited)?);
    }
    Ok(all)
}

fn tcp(
    key: &'static str,
    addr: SocketAddr,
    tenant: Option<TenantId>,
    inherited: &mut Inherited,
) -> Result<Listener, NotListening> {
    let listener = match (inherited.take_tcp(key, addr), tenant) {
        (Some(socket), _) => Listener::adopt(socket, tenant),
        (None, Some(tenant)) => Listener::open(addr, tenant),
        (None, None) => Listener::authenticating(addr),
    };
    listener.map_err(|error| NotListening::new(key, error))
}

/// The Unix socket, and by which name a successor is to know it.
fn unix(
    path: &Path,
    mode: u32,
    inherited: &mut Inherited,
) -> Result<(&'static str, Listener), NotListening> {
    let failed = |error| NotListening::new("unix", error);
    let keeps_file = inherited.keeps_unix_file();
    let socket = inherited
        .take_unix(UNIX, path)
        .or_else(|| inherited.take_unix(UNIX_OF_MANAGER, path));
    let Some(socket) = socket else {
        let bound = Listener::unix(path, mode, DEFAULT_TENANT).map_err(failed)?;
        return Ok((UNIX, bound));
    };
    let adopted = Listener::adopt(socket, Some(DEFAULT_TENANT)).map_err(failed)?;
    Ok(match keeps_file {
        true => (UNIX_OF_MANAGER, adopted),
        false => (UNIX, adopted.owning_file(path)),
    })
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

#[cfg(test)]
#[path = "listeners_test.rs"]
mod tests;
