//! What is watched, and what a probe of it may say.

use std::time::Duration;

/// By which way a component is reached. They are apart since they fail apart: in a storm of new
/// connections the open ones may well work, and after a hang only new ones may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Path {
    /// A connection that is opened for each probe.
    New,
    /// A connection that was opened long ago.
    Kept,
}

impl Path {
    /// As a component is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "New connections",
            Self::Kept => "Requests on open connections",
        }
    }

    /// As a part of a component's key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Kept => "kept",
        }
    }
}

/// A component: one way to one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// How it is known in feeds and files; letters, digits, `-` and `.`.
    pub key: String,
    /// What the group that it belongs to is called in public: a gateway.
    pub group: String,
    /// The way.
    pub path: Path,
}

impl Component {
    /// The two components of the gateway that the public knows as `group`; `key` must be unique.
    pub fn of_gateway(key: &str, group: &str) -> [Self; 2] {
        [Path::New, Path::Kept].map(|path| Self {
            key: format!("{key}.{}", path.key()),
            group: group.to_owned(),
            path,
        })
    }

    /// Group and way.
    pub fn full_name(&self) -> String {
        format!("{}: {}", self.group, self.path.name())
    }

    /// The key of its group.
    pub fn group_key(&self) -> &str {
        self.key
            .rsplit_once('.')
            .map_or(&self.key, |(group, _)| group)
    }
}

/// At which step a probe failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Opening the connection, encryption included.
    Connect,
    /// Saying who one is.
    Authenticate,
    /// Storing a value.
    Set,
    /// Reading it.
    Get,
    /// Removing it.
    Delete,
}

impl Stage {
    /// What was being done.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Authenticate => "logging in",
            Self::Set => "storing a value",
            Self::Get => "reading a value",
            Self::Delete => "removing a value",
        }
    }
}

/// How it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The connection ended.
    Closed,
    /// The answer was another than it had to be.
    Wrong,
    /// The network, or this machine, did not get as far as that.
    Unreachable,
}

impl Fault {
    /// As the end of a sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Refused => "nobody accepted the connection",
            Self::TimedOut => "there was no answer in time",
            Self::Closed => "the connection was closed",
            Self::Wrong => "the answer was wrong",
            Self::Unreachable => "the service could not be reached",
        }
    }
}

/// Where and how a probe failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Where.
    pub stage: Stage,
    /// How.
    pub fault: Fault,
}

/// What came of a probe: how long it took, or how it failed.
pub type Outcome = Result<Duration, Failed>;
