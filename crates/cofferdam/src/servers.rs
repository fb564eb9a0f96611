//! What tenants' clients are told to connect to.

use std::net::SocketAddr;

use rustix::system::uname;

use crate::config::Config;

/// What is to be advertised, else where `memcache_auth` is bound.
pub(crate) fn of_listener(config: &Config, bound: SocketAddr) -> Vec<String> {
    if !config.listen.advertise.is_empty() {
        return config.listen.advertise.clone();
    }
    if !bound.ip().is_unspecified() {
        return vec![bound.to_string()];
    }
    // "All addresses" is nothing to connect to; the host's own name is the best guess.
    let host = uname().nodename().to_string_lossy().into_owned();
    vec![format!("{host}:{}", bound.port())]
}

#[cfg(test)]
#[path = "servers_test.rs"]
mod tests;
