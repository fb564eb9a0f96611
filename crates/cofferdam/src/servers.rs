//! What tenants' clients are told to connect to.

use std::net::SocketAddr;

use runtime::state::State;
use rustix::system::uname;

use crate::config::Config;
use crate::failure::Failure;
use crate::files;

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

/// What a daemon would advertise, where none runs: as configured, else where the last one was.
pub(crate) fn last_known(state: &State, config: &Config) -> Result<Vec<String>, Failure> {
    if config.listen.advertise.is_empty()
        && let Some(servers) = state.remark(files::REMARK_SERVERS)?
    {
        return Ok(servers.split(',').map(str::to_owned).collect());
    }
    Ok(of_listener(config, config.listen.memcache_auth.0))
}
