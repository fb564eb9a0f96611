//! What happened to the service or to a tenant of it, in a form that people and programs read.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Timestamp;

/// One line of the journal of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Grows by one with each event of a data directory, over restarts too.
    pub id: u64,
    /// When it was written.
    pub at: Timestamp,
    /// When what it tells of began.
    pub onset: Timestamp,
    /// What kind of thing it is.
    pub kind: EventKind,
    /// What brought it about, in a word: a limit, a listener, a source. Events of the same kind,
    /// cause and tenant are one affair.
    pub cause: Cow<'static, str>,
    /// Where in the affair's life it stands.
    pub state: EventState,
    /// Whom it concerns, if it concerns one tenant.
    pub tenant: Option<Arc<str>>,
    /// It all, as one sentence for a person.
    pub sentence: String,
    /// What whoever reads it may do about it, as one sentence.
    pub advice: Option<String>,
    /// The figures that it was concluded from.
    pub evidence: Vec<Figure>,
    /// Events that were not written since the one before, for want of room.
    pub held_back: u64,
}

/// A figure that an event was concluded from.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name, words joined by underscores.
    pub name: Cow<'static, str>,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
}

impl Figure {
    /// So much of `unit`.
    pub const fn new(name: &'static str, value: f64, unit: Unit) -> Self {
        Self {
            name: Cow::Borrowed(name),
            value,
            unit,
        }
    }
}

impl fmt::Display for Figure {
    /// For people: `queue_limit 4096`, `delay_p99 212.0 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.value.fract() == 0.0 && self.value.abs() < 1e15;
        match whole {
            true => write!(f, "{} {:.0}", self.name, self.value)?,
            false => write!(f, "{} {:.1}", self.name, self.value)?,
        }
        match self.unit {
            Unit::Count => Ok(()),
            unit => write!(f, " {}", unit.code()),
        }
    }
}

/// An enumeration whose members have a word each, by which they are written and read.
macro_rules! coded {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $member_doc:literal])* $member:ident = $code:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $member_doc])* $member,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$member,)*];

            /// The word for it.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$member => $code,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(code: &str) -> Result<Self, UnknownCode> {
                let found = Self::ALL.iter().find(|member| member.code() == code);
                found.copied().ok_or(UnknownCode)
            }
        }
    };
}

/// A word that this release does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode;

coded! {
    /// What a figure counts or measures.
    Unit {
        /// Things.
        Count = "count",
        /// Things a second.
        PerSecond = "per_second",
        /// Bytes.
        Bytes = "bytes",
        /// Bytes a second.
        BytesPerSecond = "bytes_per_second",
        /// Milliseconds.
        Milliseconds = "ms",
        /// Seconds.
        Seconds = "s",
        /// Parts of a hundred.
        Percent = "percent",
    }
}

coded! {
    /// Where in its life an affair stands.
    EventState {
        /// It has begun.
        Began = "began",
        /// It still goes on.
        Ongoing = "ongoing",
        /// It is over.
        Ended = "ended",
        /// It has no length.
        Happened = "happened",
    }
}

coded! {
    /// The kinds of event.
    EventKind {
        /// The process serves.
        Started = "started",
        /// The process was told to stop.
        Stopping = "stopping",
        /// A tenant wants more than its limits allow and is made to wait.
        TenantThrottled = "tenant_throttled",
        /// A tenant has waited its longest, and requests are answered as misses.
        TenantRefused = "tenant_refused",
        /// A tenant's connections are turned away for its own limits.
        TenantConnectionsRefused = "tenant_connections_refused",
        /// A tenant's clients open connections faster than they send requests.
        ClientsReconnecting = "clients_reconnecting",
        /// A tenant's clients present wrong passwords.
        LoginsFailing = "logins_failing",
        /// Fewer of a tenant's reads find something than it wants to be told of.
        HitRatioLow = "hit_ratio_low",
        /// A tenant holds more of its memory than it wants to be told of.
        MemoryNearlyFull = "memory_nearly_full",
        /// A tenant's memory was cut below what it held, and items are gone for it.
        MemoryCut = "memory_cut",
        /// The places at the door are taken, and some had to leave.
        DoorFull = "door_full",
        /// One source has more connections at the door than it may, and its oldest are closed.
        SourceLimited = "source_limited",
        /// Connections are turned away because there are as many as there may be.
        ConnectionsFull = "connections_full",
        /// Few descriptors are left.
        DescriptorsLow = "descriptors_low",
        /// The kernel turned connections away because nobody accepted them.
        ListenOverflow = "listen_overflow",
        /// The kernel answers connection attempts with cookies.
        SynCookies = "syn_cookies",
        /// Clients went away, and this process has not closed its side.
        CloseWait = "close_wait",
        /// Requests wait long for their turn.
        HostOverload = "host_overload",
        /// An event loop does not turn.
        LoopStalled = "loop_stalled",
        /// This process did not run, as when its machine is suspended.
        ProcessPaused = "process_paused",
        /// The wall clock was set.
        ClockJump = "clock_jump",
        /// The fleet's store does not answer.
        StoreAway = "store_away",
        /// A change of the fleet's ring waits for members that do not answer.
        RingWaits = "ring_waits",
        /// A node looks slow beside the others.
        NodeSuspect = "node_suspect",
        /// A node was taken out, since it is slow or gone.
        NodeEjected = "node_ejected",
        /// A node that was taken out serves at its full weight again.
        NodeBack = "node_back",
        /// A new node did not pass the gate.
        NodeRefused = "node_refused",
        /// All nodes, or most, are slow at once.
        FleetSlow = "fleet_slow",
        /// More nodes should go than may be out at once.
        CapHolds = "cap_holds",
        /// A gateway is slow itself.
        GatewaySlow = "gateway_slow",
        /// A stage of a volume's input and output brings nothing to an end.
        VolumeStalled = "volume_stalled",
        /// A volume's second copy is behind the first.
        VolumeDegraded = "volume_degraded",
        /// The data directory cannot be written, or will soon not be.
        DataDirectory = "data_directory",
    }
}

#[cfg(test)]
#[path = "event_test.rs"]
mod tests;
