//! The certificates of gateways and nodes: each shows its own, and believes those of one authority.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use thiserror::Error;

use super::PeerTls;
use super::callers::{OnlyGateways, OnlyNodes};
use crate::cluster::Identity;

/// The authority's certificate.
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
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&folder.join(AUTHORITY_FILE))? {
            let path = folder.join(AUTHORITY_FILE);
            roots.add(certificate).map_err(content(&path))?;
        }
        let roots = Arc::new(roots);
        let path = folder.join(CERTIFICATE_FILE);
        let identity = Identity::read(&path, &folder.join(KEY_FILE)).map_err(wrong)?;
        let identity = Arc::new(identity);
        let provider = Arc::new(default_provider());
        let authority = folder.join(AUTHORITY_FILE);
        let callers =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
                .build()
                .map_err(content(&authority))?;
        let called = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(content(&authority))?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(content(&path))?
            .with_client_cert_verifier(Arc::new(OnlyGateways(callers)))
            .with_cert_resolver(Arc::clone(&identity) as Arc<dyn ResolvesServerCert>);
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(content(&path))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(OnlyNodes(called)))
            .with_client_cert_resolver(Arc::clone(&identity) as Arc<dyn ResolvesClientCert>);
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            identity,
        })
    }

    /// Reads this process's own certificate again, for connections that are made from now on; whether
    /// it is another one.
    ///
    /// # Errors
    /// It cannot be used; the old one stays.
    pub fn refresh(&self) -> Result<bool, CertificatesError> {
        self.identity.refresh().map_err(wrong)
    }

    /// When that begins and ends to be good, in seconds since 1970.
    pub fn validity(&self) -> Option<(u64, u64)> {
        self.identity.validity()
    }
}

fn wrong((path, reason): (PathBuf, String)) -> CertificatesError {
    CertificatesError::Content { path, reason }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificatesError> {
    let pem = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match all.map_err(content(path))? {
        none if none.is_empty() => Err(CertificatesError::Content {
            path: path.to_owned(),
            reason: "no certificate in it".to_owned(),
        }),
        all => Ok(all),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificatesError> {
    fs::read(path).map_err(|source| CertificatesError::Read {
        path: path.to_owned(),
        source,
    })
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
