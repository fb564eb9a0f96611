//! Serves a router on a Unix socket and on TCP, from one thread with an async runtime of its own.

use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::middleware;
use thiserror::Error;

use super::gate::{Gate, Wish};
use super::guard::{self, Guard};
use super::places::Places;
use super::reception::{CONNECTION_TIMEOUT, Reception};
use super::unix_path::ShortPath;
use crate::net::tls::TlsServer;

/// Connections at once, on the socket and on the port each.
const PLACES: usize = 128;

/// Why the API cannot be served.
#[derive(Debug, Error)]
pub enum BindError {
    /// The port is taken, or the address not ours.
    #[error("admin API cannot listen on {addr}: {source}")]
    Tcp {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The folder takes no socket.
    #[error("admin API cannot listen on {}: {source}", path.display())]
    Unix {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Who asks over TCP, as an extension of each of his requests.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Bound sockets that nobody serves yet.
#[derive(Debug)]
pub struct Listeners {
    unix: (UnixListener, PathBuf),
    tcp: Option<TcpListener>,
    tls: Option<Arc<TlsServer>>,
}

impl Listeners {
    /// Binds a Unix socket of mode 0600 at `unix`, replacing what a dead process left there, and
    /// `tcp` if given. The caller holds the lock of the folder, so that nobody alive is replaced.
    pub fn bind(unix: &Path, tcp: Option<SocketAddr>) -> Result<Self, BindError> {
        Self::adopt(unix, None, tcp, None)
    }

    /// Speaks TLS over TCP with `tls`, if it is given.
    pub fn with_tls(mut self, tls: Option<Arc<TlsServer>>) -> Self {
        self.tls = tls;
        self
    }

    /// Where TCP is served.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|tcp| tcp.local_addr().ok())
    }

    /// The way to the server that these become.
    pub fn gate(&self) -> io::Result<Arc<Gate>> {
        let unix = self.unix.0.as_fd().try_clone_to_owned()?;
        let tcp = self.tcp.as_ref();
        let tcp = tcp
            .map(|tcp| tcp.as_fd().try_clone_to_owned())
            .transpose()?;
        Ok(Arc::new(Gate::new(unix, tcp)))
    }

    /// Serves `router` until the [`Server`] is dropped: unguarded on the Unix socket, behind `guard`
    /// on TCP.
    pub fn serve(self, router: Router, guard: Guard) -> io::Result<Server> {
        let gate = self.gate()?;
        self.serve_behind(gate, router, guard)
    }

    /// The same behind a gate of its own.
    pub fn serve_behind(self, gate: Arc<Gate>, router: Router, guard: Guard) -> io::Result<Server> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(4)
            .build()?;
        let guarded = router.clone().layer(middleware::from_fn_with_state(
            Arc::new(guard),
            guard::check,
        ));
        let (unix, unix_path) = self.unix;
        let by_unix = reception("admin socket", router, None);
        let by_tcp = reception("admin port", guarded, self.tls);
        let tcp = self.tcp;
        let mut wishes = gate.wishes();
        let thread = thread::Builder::new().name("admin".into()).spawn(move || {
            runtime.block_on(async move {
                loop {
                    let wish = *wishes.borrow_and_update();
                    let mut serving = Vec::new();
                    if wish == Wish::Serve {
                        let by_unix = by_unix.clone().serve_unix(unix.try_clone());
                        serving.push(tokio::spawn(by_unix));
                        if let Some(tcp) = &tcp {
                            let by_tcp = by_tcp.clone().serve_tcp(tcp.try_clone());
                            serving.push(tokio::spawn(by_tcp));
                        }
                    }
                    if wish == Wish::End || wishes.changed().await.is_err() {
                        return;
                    }
                    serving.iter().for_each(tokio::task::JoinHandle::abort);
                }
            });
        })?;
        Ok(Server {
            gate,
            thread: Some(thread),
            unix_path,
        })
    }

    /// Takes the place of a predecessor, or of the service manager, on sockets that they listen on;
    /// what they have not is bound.
    pub fn adopt(
        unix: &Path,
        unix_socket: Option<OwnedFd>,
        tcp: Option<SocketAddr>,
        tcp_socket: Option<OwnedFd>,
    ) -> Result<Self, BindError> {
        let unix_error = |source| BindError::Unix {
            path: unix.to_owned(),
            source,
        };
        let unix_socket = match unix_socket {
            Some(socket) => UnixListener::from(socket),
            None => bind_unix(unix).map_err(unix_error)?,
        };
        unix_socket.set_nonblocking(true).map_err(unix_error)?;
        let tcp = match (tcp, tcp_socket) {
            (Some(addr), Some(socket)) => {
                let listener = TcpListener::from(socket);
                listener
                    .set_nonblocking(true)
                    .map_err(|source| BindError::Tcp { addr, source })?;
                Some(listener)
            }
            (Some(addr), None) => Some(bind_tcp(addr)?),
            (None, _) => None,
        };
        Ok(Self {
            unix: (unix_socket, unix.to_owned()),
            tcp,
            tls: None,
        })
    }
}

/// Whoever gets that far is an operator: a request may take as long as its connection.
fn reception(name: &'static str, router: Router, tls: Option<Arc<TlsServer>>) -> Reception {
    Reception {
        name,
        router,
        tls,
        request_timeout: CONNECTION_TIMEOUT,
        places: Arc::new(Places::new(PLACES)),
    }
}

fn bind_tcp(addr: SocketAddr) -> Result<TcpListener, BindError> {
    let bind = || {
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|source| BindError::Tcp { addr, source })
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    if let Err(e) = fs::remove_file(path)
        && e.kind() != io::ErrorKind::NotFound
    {
        return Err(e);
    }
    let listener = UnixListener::bind(ShortPath::of(path)?.as_path())?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A running server; dropping it ends it and removes its socket file.
#[derive(Debug)]
pub struct Server {
    gate: Arc<Gate>,
    thread: Option<JoinHandle<()>>,
    unix_path: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.gate.end();
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
        if !self.gate.leaves_file() {
            // If it cannot be removed, the next start replaces it.
            let _ = fs::remove_file(&self.unix_path);
        }
    }
}
