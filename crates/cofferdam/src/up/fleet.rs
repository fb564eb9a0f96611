//! A gateway's place in its fleet: joins it, and brings what its store says of tenants into force.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fleet::registry::{MEMORY, Role, SHARES};
use runtime::Clock;
use runtime::store::{Revision, Snapshot};

use crate::config::Config;
use crate::control::Control;
use crate::data::Data;
use crate::failure::Failure;
use crate::membership::{self, FleetTenants, Membership, Tenants, UseMeter};
use crate::renewal::Renewal;
use crate::{fleet_tls, servers};

/// How often it is looked whether tenants have changed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Membership, and who follows the tenants.
pub(super) struct FleetPart {
    pub(super) membership: Arc<Membership>,
    pub(super) tenants: Arc<FleetTenants>,
}

/// Joins the fleet of the configuration; `None` for a process without a store.
pub(super) fn join(
    config: &Config,
    clock: Clock,
    data: &Data,
    auth: SocketAddr,
) -> Result<Option<FleetPart>, Failure> {
    let Data::Nodes(data) = data else {
        return Ok(None);
    };
    let Some(store) = membership::store(config)? else {
        return Ok(None);
    };
    let address = servers::of_listener(config, auth).join(",");
    let joined = membership::join(config, &store, clock, Role::Gateway, address)?;
    let (me, snapshot) = (joined.me, Arc::clone(&joined.snapshot));
    let file = membership::kept_file(&config.data_dir());
    let seat = Arc::clone(data);
    let member = Membership::start(joined, file, Arc::clone(&store), clock, Role::Gateway, seat)?;
    let known = Tenants::read(&snapshot, &member.sight().registry);
    let tenants = FleetTenants::new(store, Arc::clone(data), me, clock, known);
    Ok(Some(FleetPart {
        membership: Arc::new(member),
        tenants: Arc::new(tenants),
    }))
}

/// Keeps a gateway's certificate good for as long as the value lives.
pub(super) fn keep_certificate(
    config: &Config,
    data: &Data,
    clock: Clock,
) -> Result<Option<Renewal>, Failure> {
    match data {
        Data::Nodes(data) => fleet_tls::keep_good(config, data.tls(), clock),
        Data::Here(_) => Ok(None),
    }
}

/// Brings tenants into force as the store changes, until it is dropped.
pub(super) struct TenantsThread {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TenantsThread {
    pub(super) fn start(
        part: &FleetPart,
        control: Arc<Control>,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (member, tenants) = (Arc::clone(&part.membership), Arc::clone(&part.tenants));
        let thread = thread::Builder::new()
            .name("tenants".into())
            .spawn(move || {
                let (mut seen, mut meter) = (Vec::new(), UseMeter::default());
                while !stopped.load(Ordering::Acquire) {
                    let sight = member.sight();
                    let written = written(&sight.snapshot);
                    let now = clock.now();
                    if tenants.note_contact(&sight, now) || seen != written {
                        tenants.learn(Tenants::read(&sight.snapshot, &sight.registry));
                        match control.refresh() {
                            Ok(()) => seen = written,
                            Err(error) => {
                                tracing::error!(%error, "tenants are not brought into force")
                            }
                        }
                    }
                    if member.is_silent() {
                        thread::park_timeout(LOOK_EVERY);
                        continue;
                    }
                    let said = meter.turn(&tenants, now, |id| control.counters(id));
                    if let Err(error) = said {
                        tracing::debug!(%error, "what tenants use is not said");
                    }
                    thread::park_timeout(LOOK_EVERY);
                }
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for TenantsThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

/// When what tenants depend on was last written.
fn written(snapshot: &Snapshot) -> Vec<(String, Revision)> {
    let entries = snapshot.entries.iter();
    let own = entries.filter(|e| {
        let is_of_each = e.key.starts_with("tenants/") || e.key.starts_with("members/");
        is_of_each || e.key == SHARES || e.key == MEMORY
    });
    own.map(|e| (e.key.clone(), e.revision)).collect()
}
