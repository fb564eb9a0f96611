//! Why something could not be done with a volume, and what would help.

use std::io;

use thiserror::Error;
use volume::{IoError, OpenError};

/// A volume that could not be made, attached or removed.
#[derive(Debug, Error)]
pub enum VolumeError {
    /// There is none of this name.
    #[error("there is no volume {0:?}: `cofferdam volume list` shows all")]
    Unknown(String),
    /// Clients use it.
    #[error("volume {name:?} has {clients} connections: detach its clients first")]
    InUse {
        /// The volume.
        name: String,
        /// How many.
        clients: usize,
    },
    /// Another client has it.
    #[error(
        "volume {name:?} is attached by {holder}: detach it there, or create volumes for several \
         clients with --shared"
    )]
    Held {
        /// The volume.
        name: String,
        /// Who has it.
        holder: String,
    },
    /// Another process has it.
    #[error("volume {0:?} is in use by another process, maybe one that is ending: try again")]
    Locked(String),
    /// Its files could not be read or written.
    #[error("volume {name:?}: {source}: look at the disk of the data folder")]
    Io {
        /// The volume.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// What its files hold is not whole.
    #[error("volume {name:?} cannot be attached: {reason}")]
    Unsound {
        /// The volume.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such snapshot.
    #[error(
        "volume {volume:?} has no snapshot {snapshot:?}: `cofferdam volume snapshots {volume}` lists them"
    )]
    NoSnapshot {
        /// The volume.
        volume: String,
        /// What was asked for.
        snapshot: String,
    },
    /// Clones share its objects.
    #[error("{count} clones were made of it: remove them first")]
    HasClones {
        /// How many.
        count: usize,
    },
    /// The engine does not do it.
    #[error("volume {name:?}: {why}")]
    Refused {
        /// The volume.
        name: String,
        /// Why.
        why: String,
    },
    /// The server is going.
    #[error("the server is going")]
    Ending,
}

impl VolumeError {
    pub(super) fn io(name: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::WouldBlock => Self::Locked(name.to_owned()),
            _ => Self::Io {
                name: name.to_owned(),
                source,
            },
        }
    }

    pub(super) fn open(name: &str, error: OpenError) -> Self {
        let reason = match error {
            OpenError::Io(IoError::NoSpace) => "the disk is full: free some space".to_owned(),
            OpenError::Io(error) => format!("its files cannot be read or written ({error:?})"),
            OpenError::NoVolume => "nothing of it is in the object store".to_owned(),
            OpenError::Damaged(object) => format!("object {object} is damaged or gone"),
            OpenError::NoJournal => "its journal has no whole header".to_owned(),
            OpenError::Gap(seq) => format!("records from {seq} on are missing from its journal"),
            OpenError::Journal => "its journal is too short for what is in it".to_owned(),
            OpenError::Rotten(seq) => {
                format!("record {seq} of its journal, which was durable, is damaged")
            }
            OpenError::Config => "its journal or its size is out of bounds".to_owned(),
            OpenError::NoSnapshot => "there is no such snapshot in the object store".to_owned(),
            OpenError::Unsettled => "its snapshots are not stored yet: try again".to_owned(),
        };
        Self::Unsound {
            name: name.to_owned(),
            reason,
        }
    }
}
