//! What a run is made of, and what comes out of it.

use std::time::Duration;

use base::rng::Rng;
use base::{CredentialId, Rights, TenantId, TrafficLimits};
use gateway::{ConnectionFigures, directory};

use crate::clients::Group;
use crate::measure::Timeline;
use crate::network::{NetworkConfig, NetworkFigures};
use crate::server::{Leaks, ServerConfig};
use crate::world::World;

/// A run: who is there, what changes when, and for how long.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Every random choice follows from it.
    pub seed: u64,
    /// Whom the server knows.
    pub tenants: Vec<Tenant>,
    /// Who comes.
    pub groups: Vec<Group>,
    /// The server.
    pub server: ServerConfig,
    /// The network.
    pub network: NetworkConfig,
    /// What changes, and when.
    pub cues: Vec<(Duration, Cue)>,
    /// When everybody leaves.
    pub length: Duration,
}

/// Something that changes during a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Cue {
    /// Everything that the server does takes this many percent of its usual time.
    Slowness(u64),
    /// Every connection of the group of this number is lost.
    Cut(usize),
    /// A tenant may take this much from now on.
    Limit(TenantId, TrafficLimits),
}

/// A tenant of the simulated server.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// Its number.
    pub id: TenantId,
    /// The memory it may use, in bytes.
    pub quota_bytes: u64,
    /// The length of all its values, in bytes; at least 40. Shared keys are absent if it exceeds
    /// [`base::kv::INLINE_VALUE_LEN_MAX`].
    pub value_len: u32,
    /// What it may take beside memory.
    pub traffic: TrafficLimits,
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// The seed that it can be repeated by.
    pub seed: u64,
    /// What each group saw.
    pub groups: Vec<(&'static str, Timeline)>,
    /// What the shards counted for each tenant since the start, second by second.
    pub figures: Vec<(TenantId, Vec<ConnectionFigures>)>,
    /// Answers that belong to no request, or are stale: the first few in words.
    pub wrong: Vec<String>,
    /// How many of those there were.
    pub wrong_count: u64,
    /// Connections that the server turned away.
    pub refused: u64,
    /// What the network counted.
    pub network: NetworkFigures,
    /// What was left once everybody had left.
    pub leaks: Leaks,
    /// Stands for all that happened.
    pub trace_hash: u64,
    /// How many events that was.
    pub events: u64,
}

impl Scenario {
    /// Runs to its end, and then until the server has had the time to let go of everybody.
    ///
    /// Fails if a tenant's cache cannot be set up as asked.
    pub fn run(self) -> Result<Report, String> {
        World::new(self)?.run()
    }
}

impl Default for Scenario {
    /// Nobody, for five seconds.
    fn default() -> Self {
        Self {
            seed: 0,
            tenants: Vec::new(),
            groups: Vec::new(),
            server: ServerConfig::default(),
            network: NetworkConfig::default(),
            cues: Vec::new(),
            length: Duration::from_secs(5),
        }
    }
}

impl Report {
    /// What the group of this name saw.
    pub fn group(&self, name: &str) -> Option<&Timeline> {
        let found = self.groups.iter().find(|(of, _)| *of == name);
        found.map(|(_, timeline)| timeline)
    }

    /// What the shards had counted for a tenant when this many seconds had passed.
    pub fn figures_at(&self, tenant: TenantId, second: usize) -> ConnectionFigures {
        let found = self.figures.iter().find(|(of, _)| *of == tenant);
        let at = found.and_then(|(_, figures)| figures.get(second));
        at.copied().unwrap_or_default()
    }

    /// Time in nanoseconds that a tenant was served between two whole seconds of the run.
    pub fn busy_ns_between(&self, tenant: TenantId, from_s: usize, to_s: usize) -> u64 {
        let at = |second| self.figures_at(tenant, second).busy_ns;
        at(to_s).saturating_sub(at(from_s))
    }
}

impl Tenant {
    /// A tenant with 64 MiB, values of 100 bytes and no limits.
    pub fn new(id: u32) -> Self {
        Self {
            id: TenantId(id),
            quota_bytes: 64 << 20,
            value_len: 100,
            traffic: TrafficLimits::default(),
        }
    }

    pub(crate) fn item_size_max(&self) -> u32 {
        (self.value_len + 1024).max(1 << 20)
    }

    /// What its clients say first.
    pub(crate) fn login(&self) -> Vec<u8> {
        let mut login = Vec::new();
        let (user, password) = (self.user(), self.password());
        memcache_proto::client::text::auth(user.as_bytes(), password.as_bytes(), &mut login);
        login
    }

    pub(crate) fn entry(&self) -> directory::Tenant {
        directory::Tenant {
            id: self.id,
            name: self.user().into(),
            item_size_max: self.item_size_max(),
            traffic: self.traffic,
        }
    }

    pub(crate) fn credential(&self) -> (String, directory::Credential) {
        let salt = [7; 16];
        let credential = directory::Credential {
            id: CredentialId(self.id.0),
            tenant: self.id,
            rights: Rights::ALL,
            salt,
            password_sha256: directory::Credential::hash_password(
                &salt,
                self.password().as_bytes(),
            ),
        };
        (self.user(), credential)
    }

    fn user(&self) -> String {
        format!("t{}", self.id.0)
    }

    fn password(&self) -> String {
        format!("{:016x}", Rng::new(u64::from(self.id.0)).next_u64())
    }
}
