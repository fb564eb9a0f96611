//! What TLS is spoken with: certificate, key, authorities of clients; read from files, replaced whole.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gateway::directory::Directory;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ProducesTickets, WebPkiClientVerifier};
use rustls::{RootCertStore, version};
use thiserror::Error;

use super::identity;
use super::tickets::Tickets;
use crate::Published;
use crate::cluster::validity;
use crate::observe::wall_clock;

/// Where certificates are, and what is asked of clients. All files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those that lead to its authority.
    pub certificate: PathBuf,
    /// The private key of that certificate.
    pub key: PathBuf,
    /// Whether and how clients show certificates.
    pub clients: Option<ClientCertificates>,
}

/// What is asked of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Certificates of the authorities that are trusted.
    pub authorities: PathBuf,
    /// Whether a client without a certificate, or with one that names no tenant, is refused.
    pub required: bool,
}

/// Why TLS cannot be spoken with these files.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
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
        /// What is wrong and what it should hold.
        reason: String,
    },
    /// Certificate and key do not go together, or are of a kind that is not spoken.
    #[error("certificate {certificate} and key {key}: {source}",
        certificate = certificate.display(), key = key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        source: rustls::Error,
    },
    /// The system gives no randomness for tickets.
    #[error("no keys for session tickets: {0}")]
    Tickets(io::Error),
}

/// What the connections of one or several listeners are begun with. A reload changes it for those
/// that come later; those that are open keep theirs.
#[derive(Debug)]
pub struct TlsServer {
    current: Published<Terms>,
    tickets: Mutex<InForce>,
}

/// What one handshake is made under.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(super) config: Arc<ServerConfig>,
    /// What is shown, its own certificate first.
    certificates: Vec<CertificateDer<'static>>,
    /// Whether a client must show a certificate that names a tenant.
    pub(super) certificate_required: bool,
}

/// The authorities that the tickets in circulation were given under, and what makes tickets.
#[derive(Debug)]
struct InForce {
    authorities: Option<Vec<u8>>,
    maker: Arc<Tickets>,
}

impl TlsServer {
    /// Reads all files.
    pub fn new(files: &TlsFiles) -> Result<Self, TlsError> {
        Self::successor(files, None)
    }

    /// The same with the keys of a predecessor's session tickets, if it has left some, so that its
    /// clients do not all shake hands from the beginning.
    pub fn successor(files: &TlsFiles, tickets: Option<OwnedFd>) -> Result<Self, TlsError> {
        let authorities = read_authorities(files)?;
        let inherited =
            tickets.and_then(|from| Tickets::inherited(from, authorities.as_deref(), unix_s));
        let maker = match inherited {
            Some(maker) => maker,
            None => new_tickets()?,
        };
        let maker = Arc::new(maker);
        let terms = terms(files, authorities.as_deref(), maker.clone())?;
        Ok(Self {
            current: Published::new(terms),
            tickets: Mutex::new(InForce { authorities, maker }),
        })
    }

    /// Reads all files again and begins later connections with them. On an error what was in force
    /// stays in force. Tells whether it differs from that.
    pub fn reload(&self, files: &TlsFiles) -> Result<bool, TlsError> {
        let authorities = read_authorities(files)?;
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        // A ticket vouches for the certificate that was shown when it was given: other authorities,
        // other tickets.
        let maker = match tickets.authorities == authorities {
            true => Arc::clone(&tickets.maker),
            false => Arc::new(new_tickets()?),
        };
        let before = self.current.get();
        let now = terms(files, authorities.as_deref(), maker.clone())?;
        let differs = before.certificates != now.certificates
            || before.certificate_required != now.certificate_required
            || tickets.authorities != authorities;
        self.current.publish(now);
        *tickets = InForce { authorities, maker };
        Ok(differs)
    }

    /// The keys of its session tickets, for a [`successor`](Self::successor).
    pub fn hand_over_tickets(&self) -> io::Result<OwnedFd> {
        let tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.maker.hand_over(tickets.authorities.as_deref())
    }

    /// When the certificate that is shown begins and ends to be good, in seconds since 1970.
    pub fn validity_unix_s(&self) -> Option<(u64, u64)> {
        validity(self.terms().certificates.first()?)
    }

    /// What a connection of a browser is begun with.
    pub(crate) fn for_pages(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.terms().config)
    }

    pub(crate) fn terms(&self) -> Arc<Terms> {
        self.current.get()
    }
}

impl Terms {
    /// What a connection is begun with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The tenant that a client's certificate names, if it showed one that does.
    pub(crate) fn tenant_of(
        &self,
        certificates: Option<&[CertificateDer<'static>]>,
        directory: &Directory,
    ) -> Option<base::TenantId> {
        let own = certificates?.first()?;
        identity::tenant_named(own, directory)
    }
}

fn terms(
    files: &TlsFiles,
    authorities: Option<&[u8]>,
    ticketer: Arc<dyn ProducesTickets>,
) -> Result<Terms, TlsError> {
    // Named, since a second provider anywhere in the program would make a default one ambiguous.
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|source| pair(files, source))?;
    let builder = match verifier(files, authorities, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let certificates = certificates(&files.certificate)?;
    let mut config = builder
        .with_single_cert(certificates.clone(), key(&files.key)?)
        .map_err(|source| pair(files, source))?;
    // Sessions are kept by the clients: a storm of reconnects costs no memory here.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ticketer;
    Ok(Terms {
        config: Arc::new(config),
        certificates,
        certificate_required: files
            .clients
            .as_ref()
            .is_some_and(|clients| clients.required),
    })
}

fn new_tickets() -> Result<Tickets, TlsError> {
    Tickets::new(unix_s).map_err(TlsError::Tickets)
}

/// Of the clock on the wall, which a successor has too.
fn unix_s() -> u64 {
    wall_clock().as_secs()
}

fn verifier(
    files: &TlsFiles,
    authorities: Option<&[u8]>,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let (Some(clients), Some(pem)) = (&files.clients, authorities) else {
        return Ok(None);
    };
    let content = |reason: String| TlsError::Content {
        path: clients.authorities.clone(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates_in(&clients.authorities, pem)? {
        roots
            .add(certificate)
            .map_err(|error| content(error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match clients.required {
        true => builder,
        false => builder.allow_unauthenticated(),
    };
    let verifier = builder
        .build()
        .map_err(|error| content(error.to_string()))?;
    Ok(Some(verifier))
}

fn read_authorities(files: &TlsFiles) -> Result<Option<Vec<u8>>, TlsError> {
    let clients = files.clients.as_ref();
    clients
        .map(|clients| read(&clients.authorities))
        .transpose()
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates_in(path, &read(path)?)
}

/// All certificates of the text that was read from `path`, at least one.
fn certificates_in(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content = |reason: String| TlsError::Content {
        path: path.to_owned(),
        reason,
    };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| content(format!("it is no PEM: {error}")))?;
    match all.is_empty() {
        true => Err(content(
            "it holds no certificate: give a PEM file with BEGIN CERTIFICATE".into(),
        )),
        false => Ok(all),
    }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| TlsError::Content {
        path: path.to_owned(),
        reason: format!("it holds no private key without a passphrase: {error}"),
    })
}

fn pair(files: &TlsFiles, source: rustls::Error) -> TlsError {
    TlsError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    }
}

#[cfg(test)]
#[path = "config_test.rs"]
mod tests;
