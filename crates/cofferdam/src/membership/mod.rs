//! This process as a member of a fleet: joins it through the store, keeps what is known of it at hand
//! for the loops, says what it knows, and, at gateways, carries changes through.

mod duties;
mod join;
mod keeper;
mod kept;
mod shares;
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
use runtime::nodes::certificates::{AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE};
use runtime::store::{EtcdConfig, EtcdTls, Store, connect};

pub(crate) use join::{Candidate, Joined};
pub(crate) use keeper::Membership;
pub(crate) use shares::UseMeter;
pub(crate) use sight::{Seat, Sight};
pub(crate) use tenants::{FleetTenants, Tenants, TenantsError};
pub(crate) use writes::{
    ChangeError, Order, change_member, end_member, judge_member, operate, stored,
};

use crate::config::{Config, JudgeMode};
use crate::failure::Failure;
use crate::fleet_tls;

/// How long a process that knows of nothing waits for the store when it starts.
const JOIN_PATIENCE: Duration = Duration::from_secs(30);

/// The store that the configuration names; `None` where it names none.
pub(crate) fn store(config: &Config) -> Result<Option<Arc<dyn Store>>, Failure> {
    match config.store.endpoints.is_empty() {
        true => Ok(None),
        false => room(config, &config.store.fleet).map(Some),
    }
}

/// Says what is wrong with the store's endpoints, beginning with the key.
pub(crate) fn check(config: &Config) -> Result<(), Failure> {
    if config.store.endpoints.is_empty() {
        return Ok(());
    }
    let checked = etcd(config).check();
    checked.map_err(|error| Failure::new(format!("store.endpoints: {error}")))
}

/// What a fleet of this name keeps in etcd.
fn room(config: &Config, name: &str) -> Result<Arc<dyn Store>, Failure> {
    Ok(connect(&etcd(config), name)?)
}

fn etcd(config: &Config) -> EtcdConfig {
    EtcdConfig {
        endpoints: config.store.endpoints.clone(),
        tls: store_tls(config),
    }
}

/// The files that are named for etcd; else those of the fleet, whose authority certifies etcd as well.
fn store_tls(config: &Config) -> Option<EtcdTls> {
    let store = &config.store;
    if let Some(authority) = &store.authority {
        return Some(EtcdTls {
            authority: authority.clone(),
            identity: store.certificate.clone().zip(store.key.clone()),
        });
    }
    let folder = fleet_tls::folder(config)?;
    Some(EtcdTls {
        authority: folder.join(AUTHORITY_FILE),
        identity: Some((folder.join(CERTIFICATE_FILE), folder.join(KEY_FILE))),
    })
}

/// A room of its own beside the fleet's, of a name that no fleet has: what gateways say of nodes changes
/// too often for those who follow the fleet.
pub(crate) fn judging_store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    room(config, &format!("{}.judging", config.store.fleet))
}

/// The same where nodes are tested as well; `None` elsewhere.
pub(crate) fn gate_room(config: &Config) -> Result<Option<Arc<dyn Store>>, Failure> {
    let is_judged = config.judge.mode == JudgeMode::On;
    match is_judged && !config.store.endpoints.is_empty() {
        true => judging_store(config).map(Some),
        false => Ok(None),
    }
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
        founding: config.gate.founding.0,
        memory_bytes: match role {
            Role::Gateway => 0,
            Role::Cache | Role::Volume => config.memory_bytes(),
        },
    };
    let joined = join::join(&candidate, store, &kept_file(&dir), clock, JOIN_PATIENCE)?;
    let is_judged = config.judge.mode == JudgeMode::On;
    Ok(Joined {
        is_judged,
        is_gated: is_judged && config.gate.required,
        ..joined
    })
}

/// Where it is kept what the store held.
pub(crate) fn kept_file(dir: &Path) -> std::path::PathBuf {
    dir.join("fleet.json")
}
