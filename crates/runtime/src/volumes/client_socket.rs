//! Where a client is connected: TCP or a Unix socket, plain or under TLS.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::uri::{NbdUri, UriTls};

/// A connected socket.
#[derive(Debug)]
pub(super) enum ClientSocket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Secure(Box<StreamOwned<ClientConnection, ClientSocket>>),
    /// Between plain and TLS, or after that failed.
    Gone,
}

impl ClientSocket {
    /// Connects; waits at most `timeout` for each answer from then on.
    pub(super) fn connect(uri: &NbdUri, timeout: Duration) -> io::Result<Self> {
        let timeout = Some(timeout);
        if let Some(path) = uri.socket() {
            let socket = UnixStream::connect(path)?;
            socket.set_read_timeout(timeout)?;
            socket.set_write_timeout(timeout)?;
            return Ok(Self::Unix(socket));
        }
        let addresses: Vec<_> = uri.host_and_port().to_socket_addrs()?.collect();
        let socket = TcpStream::connect(&addresses[..])?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(timeout)?;
        socket.set_write_timeout(timeout)?;
        Ok(Self::Tcp(socket))
    }

    /// Shakes hands as the URI says, and goes on under TLS.
    pub(super) fn secured(&mut self, uri: &NbdUri) -> io::Result<Self> {
        let tls = uri.tls().ok_or(io::ErrorKind::InvalidInput)?;
        let name = ServerName::try_from(tls.hostname.clone()).map_err(io::Error::other)?;
        let session = ClientConnection::new(config(tls)?, name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, std::mem::replace(self, Self::Gone));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self::Secure(Box::new(stream)))
    }
}

/// The files of the folder, named as libnbd and GnuTLS' tools name them.
fn config(tls: &UriTls) -> io::Result<Arc<ClientConfig>> {
    let folder = &tls.certificates;
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&folder.join("ca-cert.pem"))? {
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let own = folder.join("client-cert.pem");
    let config = match own.exists() {
        true => {
            let key = read(&folder.join("client-key.pem"))?;
            let key = PrivateKeyDer::from_pem_slice(&key).map_err(io::Error::other)?;
            let built = builder.with_client_auth_cert(certificates(&own)?, key);
            built.map_err(io::Error::other)?
        }
        false => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    all.map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let named = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("cannot read {}: {error}", path.display()),
        )
    };
    fs::read(path).map_err(named)
}

impl Read for ClientSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            Self::Unix(socket) => socket.read(buffer),
            Self::Secure(stream) => stream.read(buffer),
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Write for ClientSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Unix(socket) => socket.write(bytes),
            Self::Secure(stream) => stream.write(bytes),
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Secure(stream) => stream.flush(),
            _ => Ok(()),
        }
    }
}
