//! The certificates of gateways and nodes: each shows its own, and believes those of one authority.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::default_provider;
use rustls::server::ResolvesServerCert;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use thiserror::Error;

use super::PeerTls;
use super::callers::{GatewaysAndNodes, OnlyNodes};
use super::trust::Trust;
use crate::cluster::Identity;

/// The authority's certificate; of several all are believed.
pub const AUTHORITY_FILE: &str = "ca.pem";
/// The member's certificate.
pub const CERTIFICATE_FILE: &str = "member.pem";
/// Its private key.
pub const KEY_FILE: &str = "member.key";

/// Why a folder's certificates cannot be used.
#[derive(Debug, Error)]
pub enum CertificatesError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}: `cofferdam cluster join` makes it (docs/fleet.md)", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path}: {reason}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl PeerTls {
    /// Reads authority, certificate and key from a folder.
    ///
    /// # Errors
    /// One of them is missing, or they do not go together.
    pub fn load(folder: &Path) -> Result<Self, CertificatesError> {
        let trust = Arc::new(Trust::read(&folder.join(AUTHORITY_FILE))?);
        let path = folder.join(CERTIFICATE_FILE);
        let identity = Identity::read(&path, &folder.join(KEY_FILE)).map_err(wrong)?;
        let identity = Arc::new(identity);
        let provider = Arc::new(default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(content(&path))?
            .with_client_cert_verifier(Arc::new(GatewaysAndNodes(Arc::clone(&trust))))
            .with_cert_resolver(Arc::clone(&identity) as Arc<dyn ResolvesServerCert>);
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(content(&path))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(OnlyNodes(Arc::clone(&trust))))
            .with_client_cert_resolver(Arc::clone(&identity) as Arc<dyn ResolvesClientCert>);
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            identity,
            trust,
        })
    }

    /// Reads the authorities and this process's own certificate again, for connections that are made from
    /// now on; whether any is another one.
    ///
    /// # Errors
    /// Something cannot be used; what was there stays.
    pub fn refresh(&self) -> Result<bool, CertificatesError> {
        // Who is to be believed first: others may show such certificates already.
        let trust = self.trust.refresh()?;
        Ok(self.identity.refresh().map_err(wrong)? || trust)
    }

    /// When that begins and ends to be good, in seconds since 1970.
    pub fn validity(&self) -> Option<(u64, u64)> {
        self.identity.validity()
    }
}

fn wrong((path, reason): (PathBuf, String)) -> CertificatesError {
    CertificatesError::Content { path, reason }
}

fn content<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> CertificatesError {
    move |error| CertificatesError::Content {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
#[path = "certificates_test.rs"]
mod tests;
