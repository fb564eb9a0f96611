//! The authority's service: takes connections of members, a bounded number at once, each with a
//! bounded time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use base::Timestamp;
use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::authority::Authority;
use super::exchange::{Ask, PATIENCE, Said, receive, send};
use super::{ClusterError, Pass};
use crate::Clock;

/// Connections at once; who is above that tries again.
const AT_ONCE_MAX: usize = 32;
/// How long it pauses when the system gives it no connections.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves an authority.
pub struct AuthorityServer {
    authority: Arc<Authority>,
    listener: TcpListener,
    config: Arc<ServerConfig>,
    clock: Clock,
}

impl AuthorityServer {
    /// Listens.
    pub fn bind(
        authority: Authority,
        addr: SocketAddr,
        clock: Clock,
    ) -> Result<Self, ClusterError> {
        let config = Arc::new(config(&authority, clock)?);
        let listener = TcpListener::bind(addr).map_err(|error| {
            ClusterError::Crypto(format!(
                "cannot listen on {addr}: {error}: choose another --listen"
            ))
        })?;
        Ok(Self {
            authority: Arc::new(authority),
            listener,
            config,
            clock,
        })
    }

    /// Where.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process ends.
    pub fn run(&self) -> ! {
        let busy = Arc::new(AtomicUsize::new(0));
        loop {
            let Ok((socket, source)) = self.listener.accept() else {
                thread::park_timeout(PAUSE);
                continue;
            };
            if busy.fetch_add(1, Ordering::AcqRel) >= AT_ONCE_MAX {
                busy.fetch_sub(1, Ordering::AcqRel);
                continue;
            }
            let (authority, config) = (Arc::clone(&self.authority), Arc::clone(&self.config));
            let (clock, done) = (self.clock, Arc::clone(&busy));
            let started = thread::Builder::new().name("joins".into()).spawn(move || {
                if let Err(error) = serve(&authority, config, socket, clock) {
                    tracing::info!(%source, %error, "a connection to the authority came to nothing");
                }
                done.fetch_sub(1, Ordering::AcqRel);
            });
            if started.is_err() {
                busy.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
}

fn config(authority: &Authority, clock: Clock) -> Result<ServerConfig, ClusterError> {
    let mut roots = RootCertStore::empty();
    let root = authority.certificate_der()?;
    roots.add(root).map_err(ClusterError::crypto)?;
    let provider = Arc::new(default_provider());
    // Whoever joins has no certificate yet.
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(ClusterError::crypto)?;
    let (chain, key) = authority.service(clock.now())?;
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(ClusterError::crypto)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(ClusterError::crypto)
}

fn serve(
    authority: &Authority,
    config: Arc<ServerConfig>,
    socket: TcpStream,
    clock: Clock,
) -> io::Result<()> {
    let socket = Hurried {
        socket,
        clock,
        until: clock.now() + PATIENCE,
    };
    let server = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(server, socket);
    let ask: Ask = receive(&mut stream)?;
    let said = match answer(authority, &stream.conn, ask, clock) {
        Ok(pass) => Said::Granted(Box::new(pass)),
        Err(ClusterError::Refused(why)) => {
            tracing::warn!(why, "somebody is not let in");
            Said::Refused(why)
        }
        Err(error) => {
            tracing::error!(%error, "no certificate can be given");
            Said::Refused("the authority has trouble: look at its log".to_owned())
        }
    };
    send(&mut stream, &said)?;
    stream.conn.send_close_notify();
    let (connection, socket) = (&mut stream.conn, &mut stream.sock);
    connection.write_tls(socket).map(drop)
}

/// A connection with one time for all that is said on it: who sends a byte now and then holds no place.
struct Hurried {
    socket: TcpStream,
    clock: Clock,
    until: Timestamp,
}

impl Hurried {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.since(self.clock.now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Hurried {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(bytes)
    }
}

impl Write for Hurried {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

fn answer(
    authority: &Authority,
    connection: &ServerConnection,
    ask: Ask,
    clock: Clock,
) -> Result<Pass, ClusterError> {
    let now = clock.now();
    let pass = match ask {
        Ask::Join {
            id,
            secret,
            name,
            addresses,
            request,
        } => authority.join(now, &id, &secret, &name, &addresses, &request)?,
        Ask::Renew { request } => {
            let shown = connection
                .peer_certificates()
                .and_then(|chain| chain.first());
            let shown = shown.ok_or_else(|| {
                ClusterError::Refused("show the certificate that is to be renewed".to_owned())
            })?;
            authority.renew(now, shown, &request)?
        }
    };
    let member = &pass.membership;
    tracing::info!(name = member.name, role = %member.role, "a certificate was given");
    Ok(pass)
}
