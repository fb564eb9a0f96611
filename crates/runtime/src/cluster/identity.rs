//! A certificate and its key that may be replaced while connections are made with them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::subject::validity;

/// What this process shows of itself, as it stands in two files.
#[derive(Debug)]
pub(crate) struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    shown: RwLock<Arc<CertifiedKey>>,
}

impl Identity {
    /// Reads it.
    ///
    /// # Errors
    /// Which file is wrong, and how.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, (PathBuf, String)> {
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            shown: RwLock::new(Arc::new(certified(certificate, key)?)),
        })
    }

    /// Reads it again; whether it is another one now. What cannot be read leaves the old one.
    pub(crate) fn refresh(&self) -> Result<bool, (PathBuf, String)> {
        let found = certified(&self.certificate, &self.key)?;
        if found.cert == self.current().cert {
            return Ok(false);
        }
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
        Ok(true)
    }

    /// When the certificate begins and ends to be good, in seconds since 1970.
    pub(crate) fn validity(&self) -> Option<(u64, u64)> {
        validity(self.current().cert.first()?)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Reads the files again for each connection; for threads that may wait for a disk.
#[derive(Debug)]
pub(crate) struct ReadAnew(pub(crate) Identity);

impl ResolvesClientCert for ReadAnew {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        if let Err((path, error)) = self.0.refresh() {
            tracing::warn!(path = %path.display(), error, "a certificate cannot be read again");
        }
        Some(self.0.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn certified(certificate: &Path, key: &Path) -> Result<CertifiedKey, (PathBuf, String)> {
    let bad = |path: &Path, error: &dyn std::fmt::Display| (path.to_owned(), error.to_string());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad(certificate, &error))?;
    if chain.is_empty() {
        return Err(bad(certificate, &"no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, &error))?;
    CertifiedKey::from_der(chain, private, &default_provider())
        .map_err(|error| bad(certificate, &error))
}
