//! What the observer found out at its last look.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{TenantId, Timestamp};
use runtime::observe::host::HostSample;
use runtime::observe::sock_diag::{Queue, StateCounts};

/// Host and listeners, once a second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// When it was taken; never, if that is 0.
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    pub(crate) host: HostSample,
    pub(crate) listeners: Vec<Listener>,
    /// Connections in CLOSE_WAIT by tenant, where a loop knew whose they are.
    pub(crate) close_waits: BTreeMap<TenantId, u64>,
    /// Affairs that events tell of and that go on.
    pub(crate) affairs: u64,
}

/// One TCP listener. What the kernel does not tell is `None`.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) name: &'static str,
    pub(crate) states: Option<StateCounts>,
    pub(crate) close_wait_oldest: Option<Duration>,
    pub(crate) queue: Option<Queue>,
    /// The greatest depth of its queue over the last minute.
    pub(crate) depth_peak: u32,
}
