//! Identities of tenants and of their credentials, and what a tenant may take of the service.

use std::fmt;
use std::time::Duration;

/// A tenant, by the number that the state store gave it; never used for another tenant again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(pub u32);

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant {}", self.0)
    }
}

/// One credential of a tenant, by the number that the state store gave it; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(pub u32);

/// What a tenant may take of the service beside memory. Nothing set means as much as is idle, and
/// a fair share by weight while others want it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficLimits {
    /// Requests a second; each key of a multi-get is one.
    pub ops_per_second: Option<u64>,
    /// Bytes a second that its clients send.
    pub bytes_in_per_second: Option<u64>,
    /// Bytes a second that its clients are sent.
    pub bytes_out_per_second: Option<u64>,
    /// How much of a rate may be saved up: that of this long.
    pub burst: Duration,
    /// Its share beside the other tenants', 1 to 10,000.
    pub weight: u32,
    /// Connections open at once.
    pub connections: Option<u32>,
    /// New connections a second.
    pub connects_per_second: Option<u32>,
    /// Bytes of requests and replies that may be on their way, sockets' send buffers included.
    pub inflight_bytes: Option<u64>,
    /// How long a request over the limit waits before it is refused.
    pub max_delay: Duration,
    /// How old an answer may be that a gateway gives for a busy key out of its own memory, a second at
    /// most; none: the key's node is asked each time.
    pub hot_keys: Option<Duration>,
}

impl TrafficLimits {
    /// The share of a tenant that has none set.
    pub const WEIGHT_DEFAULT: u32 = 100;
    /// The greatest share.
    pub const WEIGHT_MAX: u32 = 10_000;
}

impl Default for TrafficLimits {
    fn default() -> Self {
        Self {
            ops_per_second: None,
            bytes_in_per_second: None,
            bytes_out_per_second: None,
            burst: Duration::from_secs(1),
            weight: Self::WEIGHT_DEFAULT,
            connections: None,
            connects_per_second: None,
            inflight_bytes: None,
            // Under the 500 ms after which common clients give up and reconnect.
            max_delay: Duration::from_millis(200),
            hot_keys: None,
        }
    }
}
