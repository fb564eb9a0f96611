//! The fleet's own authority for certificates: who may join with a token, and what members are given.
//!
//! The authority is a folder and a small service beside the fleet: no request of a client, and no
//! change of the ring, ever needs it. Members prove themselves by the certificates that it signs.

mod authority;
mod client;
mod exchange;
mod identity;
mod pinned;
mod register;
mod request;
mod server;
mod subject;
mod token;

use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use authority::{Authority, Founding};
pub use client::{join, renew};
pub(crate) use identity::{Identity, ReadAnew};
pub use register::{Member, Register};
pub use request::Own;
pub use server::AuthorityServer;
pub(crate) use subject::validity;
pub use subject::{Role, role_of};
pub use token::JoinToken;

use crate::private_file::write_private;

/// What a member's folder says of where its certificate is from.
pub const MEMBERSHIP_FILE: &str = "membership.json";

/// Whose certificate it is, and where the next one is had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The fleet's name.
    pub fleet: String,
    /// The member's.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Where the authority answers, `HOST:PORT`.
    pub authority: String,
    /// Base URLs of the fleet's store, as the authority was told.
    pub endpoints: Vec<String>,
}

/// What a member gets from the authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Whose it is.
    pub membership: Membership,
    /// The authority's certificate, PEM.
    pub authority: String,
    /// The member's certificate, PEM.
    pub certificate: String,
}

/// Why somebody gets no certificate.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The authority says no, and why.
    #[error("{0}")]
    Refused(String),
    /// It is not there, or is not the one that the token is of.
    #[error("the authority at {address}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What happened.
        reason: String,
    },
    /// A file cannot be used.
    #[error("{path}: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A key or a certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Crypto(String),
}

impl ClusterError {
    fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    fn crypto(error: impl ToString) -> Self {
        Self::Crypto(error.to_string())
    }
}

impl From<io::Error> for ClusterError {
    fn from(error: io::Error) -> Self {
        Self::Crypto(error.to_string())
    }
}

fn read(path: &Path) -> Result<String, ClusterError> {
    std::fs::read_to_string(path).map_err(|error| ClusterError::file(path, error))
}

fn write(path: &Path, text: &str) -> Result<(), ClusterError> {
    write_private(path, text.as_bytes()).map_err(|error| ClusterError::file(path, error))?;
    give_to_owner(path)
}

/// What root has made in a folder of somebody else's is that one's, as the service's that reads it.
fn give_to_owner(path: &Path) -> Result<(), ClusterError> {
    let give = || -> io::Result<()> {
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        let (own, of) = (std::fs::metadata(path)?, std::fs::metadata(folder)?);
        match own.uid() == 0 && of.uid() != 0 {
            true => chown(path, Some(of.uid()), Some(of.gid())),
            false => Ok(()),
        }
    };
    give().map_err(|error| ClusterError::file(path, error))
}

/// What the folder of a member says of it; `None` where its certificates are from somewhere else.
pub fn membership(folder: &Path) -> Result<Option<Membership>, ClusterError> {
    let path = folder.join(MEMBERSHIP_FILE);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| ClusterError::file(&path, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ClusterError::file(&path, error)),
    }
}

#[cfg(test)]
#[path = "cluster_test.rs"]
mod tests;
