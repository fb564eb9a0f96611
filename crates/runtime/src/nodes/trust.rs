//! Whose certificates this process believes: those of all authorities in one file, which may be another
//! while connections are made.
//!
//! There are several while a fleet's authority is replaced: first everybody believes both, then everybody
//! shows a certificate of the new one, and last nobody believes the old one any more.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificates::CertificatesError;

/// The authorities, as they stand in a file.
#[derive(Debug)]
pub(crate) struct Trust {
    path: PathBuf,
    believed: RwLock<Arc<Believed>>,
}

/// Who is believed at one moment.
#[derive(Debug)]
pub(crate) struct Believed {
    pem: Vec<u8>,
    pub(super) callers: Arc<dyn ClientCertVerifier>,
    pub(crate) called: Arc<WebPkiServerVerifier>,
}

impl Trust {
    /// Reads them.
    pub(crate) fn read(path: &Path) -> Result<Self, CertificatesError> {
        Ok(Self {
            path: path.to_owned(),
            believed: RwLock::new(Arc::new(believed(path)?)),
        })
    }

    /// Reads them again; whether they are others now. What cannot be read leaves those that were.
    pub(crate) fn refresh(&self) -> Result<bool, CertificatesError> {
        let found = believed(&self.path)?;
        if found.pem == self.now().pem {
            return Ok(false);
        }
        *(self.believed.write()).unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
        Ok(true)
    }

    /// Who is believed now.
    pub(crate) fn now(&self) -> Arc<Believed> {
        Arc::clone(&self.believed.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Believes servers of whichever authorities the file has when they are connected to; for threads that may
/// wait for a disk.
#[derive(Debug)]
pub(crate) struct TrustedAnew(pub(crate) Trust);

impl ServerCertVerifier for TrustedAnew {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Err(error) = self.0.refresh() {
            tracing::warn!(%error, "authorities cannot be read again");
        }
        let believed = self.0.now();
        let called = &believed.called;
        called.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let called = &self.0.now().called;
        called.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let called = &self.0.now().called;
        called.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.now().called.supported_verify_schemes()
    }
}

fn believed(path: &Path) -> Result<Believed, CertificatesError> {
    let content = |reason: String| CertificatesError::Content {
        path: path.to_owned(),
        reason,
    };
    let pem = fs::read(path).map_err(|source| CertificatesError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| content(error.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|error| content(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(content("no certificate in it".to_owned()));
    }
    let (roots, provider) = (Arc::new(roots), Arc::new(default_provider()));
    let callers =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
    let called = WebPkiServerVerifier::builder_with_provider(roots, provider);
    Ok(Believed {
        callers: callers
            .build()
            .map_err(|error| content(error.to_string()))?,
        called: called.build().map_err(|error| content(error.to_string()))?,
        pem,
    })
}
