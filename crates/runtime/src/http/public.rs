//! An HTTP server for everybody: no token, and no way for a few slow clients to keep others out. It
//! speaks TLS where that is wanted.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use super::guard::knows_host;
use super::places::Places;
use super::reception::Reception;
use crate::net::tls::TlsServer;
use crate::priority::give_way;

/// One request, its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections at once.
const PLACES: usize = 256;

/// What is served, and to whom.
pub struct Site {
    /// Of the thread, and for the log.
    pub name: &'static str,
    /// All pages.
    pub router: Router,
    /// The names under which it may be asked, besides plain addresses and `localhost`.
    pub hosts: Vec<String>,
    /// The key of the configuration that holds these.
    pub hosts_key: &'static str,
    /// What TLS is spoken with, if it is.
    pub tls: Option<Arc<TlsServer>>,
    /// Whether whoever reads waits rather than clients do. Not for pages that ask caches: whoever
    /// holds one for a moment must not wait for a processor meanwhile.
    pub gives_way: bool,
}

/// A bound port that nobody serves yet.
#[derive(Debug)]
pub struct PublicListener(TcpListener);

impl PublicListener {
    /// Binds `addr`; port 0 picks a free one.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        Self::of(TcpListener::bind(addr)?)
    }

    /// Takes the place of a predecessor on a socket that listens.
    pub fn adopt(socket: OwnedFd) -> io::Result<Self> {
        Self::of(TcpListener::from(socket))
    }

    fn of(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Where it listens.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The socket, for a successor.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Serves `site` until the [`PublicServer`] is dropped.
    pub fn serve(&self, site: Site) -> io::Result<PublicServer> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(8)
            .build()?;
        let listener = self.0.try_clone()?;
        let Site {
            name,
            tls,
            gives_way,
            ..
        } = site;
        let hosts = Arc::new((site.hosts, site.hosts_key));
        let guard = move |request: Request, next: Next| check(Arc::clone(&hosts), request, next);
        let router = site.router.layer(middleware::from_fn(guard));
        let reception = Reception {
            name,
            router,
            tls,
            request_timeout: REQUEST_TIMEOUT,
            places: Arc::new(Places::new(PLACES)),
        };
        let (end, mut ended) = watch::channel(false);
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            if gives_way {
                give_way();
            }
            runtime.block_on(async move {
                tokio::select! {
                    () = reception.serve_tcp(Ok(listener)) => {}
                    // It fails only if the sender is gone, which means the same.
                    _ = ended.wait_for(|is_over| *is_over) => {}
                }
            });
            // Handlers that wait for something else are left behind.
            runtime.shutdown_background();
        })?;
        Ok(PublicServer {
            end,
            thread: Some(thread),
        })
    }
}

/// A running server; dropping it ends it.
#[derive(Debug)]
pub struct PublicServer {
    end: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for PublicServer {
    fn drop(&mut self) {
        self.end.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

/// Lets nobody reach the pages under a name that is not theirs (DNS rebinding).
async fn check(hosts: Arc<(Vec<String>, &'static str)>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|value| value.to_str().ok()).unwrap_or("");
    let (names, key) = &*hosts;
    if knows_host(host, names) {
        return next.run(request).await;
    }
    let why = format!("unknown host: ask by address, or have the name added to {key}\n");
    (StatusCode::MISDIRECTED_REQUEST, why).into_response()
}

#[cfg(test)]
#[path = "public_test.rs"]
mod tests;
