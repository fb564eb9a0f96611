//! What clients are like: what they ask, how often, and what they do when it goes wrong.

use std::time::Duration;

use base::TenantId;

/// Clients that are alike.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name in reports.
    pub name: &'static str,
    /// Whom they speak for.
    pub tenant: TenantId,
    /// How many there are.
    pub clients: u32,
    /// Where they come from.
    pub sources: Sources,
    /// When they come, from the start of the run; and over how long a time, evenly.
    pub arrive: (Duration, Duration),
    /// When they leave, all at once.
    pub leave: Duration,
    /// How often they ask.
    pub pace: Pace,
    /// How many requests they write at once, and await together.
    pub batch: u16,
    /// What they ask.
    pub mix: Mix,
    /// Whether they behave.
    pub conduct: Conduct,
    /// How they bear failure.
    pub patience: Patience,
}

/// Where clients come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sources {
    /// Each from an address of its own.
    Each,
    /// All from one.
    One,
}

/// How often a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// This long after it was answered.
    Closed(Duration),
    /// Once in every interval of this length, at a random moment of it, answered or not: what comes
    /// while it waits is asked afterwards, and its latency counts from when it should have been.
    Open(Duration),
}

/// What clients ask, by weight, and about what.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// Retrieval of some of the keys that all clients of a tenant share and nobody changes.
    pub get_shared: u32,
    /// Retrieval of the key that is the connection's own.
    pub get_own: u32,
    /// A new value for that key.
    pub set_own: u32,
    /// Its removal.
    pub delete_own: u32,
    /// How many shared keys one retrieval names.
    pub keys_per_get: u16,
}

impl Mix {
    /// One shared key at a time.
    pub const GETS: Self = Self {
        get_shared: 1,
        get_own: 0,
        set_own: 0,
        delete_own: 0,
        keys_per_get: 1,
    };
    /// A little of everything.
    pub const MIXED: Self = Self {
        get_shared: 70,
        get_own: 18,
        set_own: 10,
        delete_own: 2,
        ..Self::GETS
    };
    /// A hundred shared keys at a time.
    pub const MULTI_GETS: Self = Self {
        keys_per_get: 100,
        ..Self::GETS
    };
}

/// Whether clients behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// As a client library does.
    Steady,
    /// They write a batch, give it up unread after the first time given, and begin anew on another
    /// connection after the second.
    Abandon(Duration, Duration),
    /// They connect and say nothing; once let go they come again after this long.
    Mute(Duration),
    /// They write half a request and nothing more; once let go they come again after this long.
    Halting(Duration),
    /// They write as much as they can and read nothing; once let go they come again after this long.
    Deaf(Duration),
    /// Their hosts vanish without a word this long after they came.
    Vanish(Duration),
}

/// How a client bears failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long it waits for a connection, and for the replies to a batch, before it closes.
    pub timeout: Duration,
    /// How long it waits before it connects anew and asks again.
    pub failure_delay: Duration,
    /// After how many failures in a row it takes the server to be down.
    pub failures_max: u8,
    /// How long it then asks nothing.
    pub down_delay: Duration,
}

impl Patience {
    /// Dalli's as it comes.
    pub const DALLI: Self = Self {
        timeout: Duration::from_millis(500),
        failure_delay: Duration::from_millis(10),
        failures_max: 2,
        down_delay: Duration::from_secs(1),
    };
    /// One that never gives up: the worst for a server.
    pub const NONE: Self = Self {
        failures_max: u8::MAX,
        ..Self::DALLI
    };
}

impl Group {
    /// Well-behaved clients of a tenant, there from the start to `leave`, that ask for one shared
    /// key at a time.
    pub fn new(name: &'static str, tenant: TenantId, clients: u32, pace: Pace) -> Self {
        Self {
            name,
            tenant,
            clients,
            sources: Sources::Each,
            arrive: (Duration::ZERO, Duration::from_millis(500)),
            leave: Duration::from_secs(1 << 20),
            pace,
            batch: 1,
            mix: Mix::GETS,
            conduct: Conduct::Steady,
            patience: Patience::DALLI,
        }
    }
}
