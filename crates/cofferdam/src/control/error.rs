//! Why a change was not made, and what would make it.

use base::ByteSize;
use runtime::state::StateError;
use runtime::volumes::VolumeError;

use crate::membership::TenantsError;
use crate::plane::PlaneError;

/// A refused or failed change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// A value that is wrong by itself.
    #[error("{0}")]
    Invalid(String),
    /// No tenant has this name.
    #[error("there is no tenant {0:?}: `cofferdam tenant list` shows all")]
    NoTenant(String),
    /// `default` has no credentials, and no memory or item size of its own.
    #[error(
        "tenant \"default\" is open and has what is not sold: it can be shown, flushed, and \
         limited in all but memory and item size; its memory is --memory less what is sold, its \
         item size is item_size"
    )]
    OpenTenant,
    /// The tenant has no such credential.
    #[error(
        "tenant {tenant:?} has no credential {username:?}: `cofferdam tenant show {tenant}` lists them"
    )]
    NoCredential {
        /// The tenant.
        tenant: String,
        /// What was asked for.
        username: String,
    },
    /// The tenant has as many credentials as it may have.
    #[error("tenant {tenant:?} has {count} credentials, the most there may be: revoke one first")]
    TooManyCredentials {
        /// The tenant.
        tenant: String,
        /// How many there are.
        count: usize,
    },
    /// The name is in use.
    #[error("a tenant {0:?} exists: choose another name, or change it with `tenant limit`")]
    Taken(String),
    /// More memory than there is left to sell.
    #[error(
        "tenant {tenant:?} cannot have {}: {} of {} is sold and \"default\" keeps {}, \
         so at most {} is left; give less, or raise --memory",
        ByteSize(*asked), ByteSize(*sold).rounded(), ByteSize(*memory).rounded(),
        ByteSize(*kept).rounded(), ByteSize(*left)
    )]
    Oversold {
        /// Who was to have it.
        tenant: String,
        /// How much in bytes.
        asked: u64,
        /// Sold to others, in bytes.
        sold: u64,
        /// All there is, in bytes.
        memory: u64,
        /// What `default` needs, in bytes.
        kept: u64,
        /// What could be sold, in bytes.
        left: u64,
    },
    /// The memory is less than what is sold already.
    #[error(
        "memory is {}, but {} is sold and \"default\" needs {}: give at least --memory {}",
        ByteSize(*memory).rounded(), ByteSize(*sold).rounded(), ByteSize(*kept).rounded(),
        ByteSize(sold.saturating_add(*kept))
    )]
    MemoryTooSmall {
        /// All there is, in bytes.
        memory: u64,
        /// Sold, in bytes.
        sold: u64,
        /// What `default` needs, in bytes.
        kept: u64,
    },
    /// Asked of a daemon that is not there.
    #[error("no daemon runs, so there is nothing in memory: start one with `cofferdam up`")]
    NotRunning,
    /// The state could not be read or changed.
    #[error(transparent)]
    State(#[from] StateError),
    /// A credential is ended now, and will not be after the next start.
    #[error(
        "credential {username:?} is cut off now, but that is not saved, which is tried again all the \
         time: a start before it succeeds would bring it back; {why}"
    )]
    NotSaved {
        /// Its user name.
        username: String,
        /// Why.
        why: StateError,
    },
    /// The data plane could not take a tenant of the state.
    #[error("tenant {0:?} could not be brought back: {1}")]
    NotRestored(String, PlaneError),
    /// The data plane could not follow.
    #[error(transparent)]
    Plane(#[from] PlaneError),
    /// A tenant that has volumes is not removed with them by the way.
    #[error("tenant {tenant:?} has {count} volumes: remove them first, with `cofferdam volume rm`")]
    HasVolumes {
        /// The tenant.
        tenant: String,
        /// How many.
        count: usize,
    },
    /// Something could not be done with a volume.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The fleet's store did not take it.
    #[error(transparent)]
    Fleet(#[from] TenantsError),
    /// Asked of a process that is alone.
    #[error("this is no gateway of a fleet: give the data folder or address of one")]
    NoFleet,
    /// The system gave no randomness.
    #[error("no random bytes for a password: {0}")]
    Random(#[from] std::io::Error),
}
