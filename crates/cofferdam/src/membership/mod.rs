//! This process as a member of a fleet: joins it through the store, keeps what is known of it at hand
//! for the loops, says what it knows, and, at gateways, carries changes through.

mod duties;
mod join;
mod keeper;
mod kept;
mod sight;
mod tenant_changes;
mod tenant_record;
mod tenants;
#[cfg(test)]
mod testing;
mod writes;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleet::registry::Role;
use runtime::Clock;
use runtime::store::{EtcdConfig, EtcdTls, Store, connect};

pub(crate) use join::{Candidate, Joined};
pub(crate) use keeper::Membership;
pub(crate) use sight::{Seat, Sight};
pub(crate) use tenants::{FleetTenants, Tenants, TenantsError};
pub(crate) use writes::{change_member, end_member};

use crate::config::{Config, JudgeMode, Store as StoreConfig};
use crate::failure::Failure;

/// How long a process that knows of nothing waits for the store when it starts.
const JOIN_PATIENCE: Duration = Duration::from_secs(30);

/// The store that the configuration names; `None` where it names none.
pub(crate) fn store(config: &StoreConfig) -> Result<Option<Arc<dyn Store>>, Failure> {
    if config.endpoints.is_empty() {
        return Ok(None);
    }
    let identity = config.certificate.clone().zip(config.key.clone());
    let tls = config.authority.clone().map(|authority| EtcdTls {
        authority,
        identity,
    });
    let etcd = EtcdConfig {
        endpoints: config.endpoints.clone(),
        tls,
    };
    Ok(Some(connect(&etcd, &config.fleet)?))
}

/// A room of its own beside the fleet's, of a name that no fleet has: what gateways say of nodes changes
/// too often for those who follow the fleet.
pub(crate) fn judging_store(config: &StoreConfig) -> Result<Arc<dyn Store>, Failure> {
    let beside = StoreConfig {
        fleet: format!("{}.judging", config.fleet),
        ..config.clone()
    };
    let none = || Failure::new("store.endpoints is empty: there is no room for ballots");
    store(&beside)?.ok_or_else(none)
}

/// Joins the fleet of the store, as whom the configuration names.
pub(crate) fn join(
    config: &Config,
    store: &Arc<dyn Store>,
    clock: Clock,
    role: Role,
    address: String,
) -> Result<Joined, Failure> {
    let dir = config.data_dir();
    runtime::state::create_private_dir(&dir)?;
    let candidate = Candidate {
        fleet: config.store.fleet.clone(),
        name: config.fleet.name.clone(),
        role,
        address,
        weight: config.fleet.weight,
        memory_bytes: match role {
            Role::Gateway => 0,
            Role::Cache | Role::Volume => config.memory_bytes(),
        },
    };
    let joined = join::join(&candidate, store, &kept_file(&dir), clock, JOIN_PATIENCE)?;
    Ok(Joined {
        is_judged: config.judge.mode == JudgeMode::On,
        ..joined
    })
}

/// Where it is kept what the store held.
pub(crate) fn kept_file(dir: &Path) -> std::path::PathBuf {
    dir.join("fleet.json")
}
