//! What the daemon last ran with, kept in the state for commands while none runs.

use runtime::state::State;

use super::{ControlError, Inner, Sizes};
use crate::config::{Auto, Config};
use crate::servers;

pub(super) const MEMORY: &str = "memory_bytes";
pub(super) const ITEM_SIZE: &str = "item_size_bytes";
pub(super) const SERVERS: &str = "servers";

impl Inner {
    /// Keeps what is in force now.
    pub(super) fn remember(&self) -> Result<(), ControlError> {
        let Sizes {
            memory_bytes,
            item_size_max,
        } = self.sizes;
        self.state.set_remark(MEMORY, memory_bytes.to_string())?;
        self.state
            .set_remark(ITEM_SIZE, item_size_max.to_string())?;
        self.state.set_remark(SERVERS, self.servers.join(","))?;
        Ok(())
    }
}

/// The sizes and servers of a daemon on `state`, where none runs: as configured; where the
/// configuration leaves something at its default, as with the last daemon, whose flags may have
/// said more.
pub(crate) fn last_in_force(
    state: &State,
    config: &Config,
) -> Result<(Sizes, Vec<String>), ControlError> {
    let number = |key| -> Result<Option<u64>, ControlError> {
        Ok(state.remark(key)?.and_then(|text| text.parse().ok()))
    };
    let memory_bytes = match (config.memory, number(MEMORY)?) {
        (Auto::Auto, Some(bytes)) => bytes,
        _ => config.memory_bytes(),
    };
    let unsaid = config.item_size == Config::default().item_size;
    let item_size_max = match number(ITEM_SIZE)?.map(u32::try_from) {
        Some(Ok(bytes)) if unsaid => bytes,
        _ => config.item_size_bytes(),
    };
    let servers = match state.remark(SERVERS)? {
        Some(servers) if config.listen.advertise.is_empty() => {
            servers.split(',').map(str::to_owned).collect()
        }
        _ => servers::of_listener(config, config.listen.memcache_auth.0),
    };
    let sizes = Sizes {
        memory_bytes,
        item_size_max,
    };
    Ok((sizes, servers))
}

#[cfg(test)]
#[path = "remarks_test.rs"]
mod tests;
