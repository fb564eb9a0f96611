//! An authority, certificates of its own, and clients that trust it.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use tempfile::TempDir;

use super::config::{ClientCertificates, TlsFiles};
use super::stream::{Handshake, TlsStream};
use crate::net::socket::Socket;

/// A client's side, which blocks.
pub(super) type Client = StreamOwned<ClientConnection, UnixStream>;

/// A certificate and its key.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Issued {
    pub(super) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()
    }
}

/// Signs what tests need.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub(super) fn issue(&self, common_name: &str, names: Vec<SanType>) -> Issued {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.subject_alt_names = names;
        let key = KeyPair::generate().unwrap();
        Issued {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A client that trusts this authority, and shows a certificate if it has one.
    pub(super) fn client(
        &self,
        own: Option<&Issued>,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match own {
            Some(own) => {
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![own.der()], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        })
    }
}

/// Files as an operator has them, gone with this value.
pub(super) struct Files {
    dir: TempDir,
    pub(super) files: TlsFiles,
}

impl Files {
    pub(super) fn new(server: &Issued, clients: Option<(&Authority, bool)>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let files = TlsFiles {
            certificate: path("server.pem"),
            key: path("server.key"),
            clients: clients.map(|(_, required)| ClientCertificates {
                authorities: path("clients.pem"),
                required,
            }),
        };
        let written = Self { dir, files };
        written.write("server.pem", &server.certificate);
        written.write("server.key", &server.key);
        if let Some((authority, _)) = clients {
            written.write("clients.pem", &authority.certificate);
        }
        written
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// The certificate that tests' clients expect of a server.
pub(super) fn server_certificate(authority: &Authority) -> Issued {
    let name = SanType::DnsName("server".try_into().unwrap());
    authority.issue("server", vec![name])
}

/// Two ends that have not shaken hands; the client does so at its first read or write.
pub(super) fn ends(
    server: Arc<rustls::ServerConfig>,
    client: Arc<ClientConfig>,
) -> (TlsStream, Client) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let stream = TlsStream::new(Socket::from(OwnedFd::from(ours)), server).unwrap();
    let name = ServerName::try_from("server").unwrap();
    let client = ClientConnection::new(client, name).unwrap();
    (stream, StreamOwned::new(client, theirs))
}

/// Shakes hands to the end; the client does its part on a thread of its own.
pub(super) fn shake_hands(stream: &mut TlsStream) -> std::io::Result<()> {
    while stream.shake_hands()? != Handshake::Done {
        std::thread::yield_now();
    }
    Ok(())
}
