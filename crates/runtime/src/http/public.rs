//! An HTTP server for everybody: no token, and no way for a few slow clients to keep others out. It
//! speaks TLS where that is wanted.
//!
//! When all places are taken the connection goes that has waited longest without a request under
//! way, so that whoever dribbles a request holds a place only as long as nobody needs it.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::guard::knows_host;
use super::server::Peer;
use crate::net::tls::TlsServer;
use crate::priority::give_way;

/// From the first byte of a request, or the end of the one before, to the end of its head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// One request, its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// One connection, however many requests it makes.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);
const HEAD_LEN_MAX: usize = 16 * 1024;
/// Connections at once.
const PLACES: usize = 256;
/// Pause after an accept that failed for want of descriptors, so that the thread does not spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

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
        let (end, mut ended) = watch::channel(false);
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            if gives_way {
                give_way();
            }
            runtime.block_on(async move {
                tokio::select! {
                    () = accept(listener, router, name, tls) => {}
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

/// One connection's place.
#[derive(Debug, Default)]
struct Place {
    /// Whether a request of it is being answered.
    is_busy: AtomicBool,
    /// Told when the place is needed by another.
    is_needed: Notify,
}

#[derive(Debug, Default)]
struct Places(Mutex<VecDeque<Arc<Place>>>);

impl Places {
    /// A place, if need be that of the connection that has been idle longest; none if all are busy.
    fn take(&self) -> Option<Arc<Place>> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= PLACES {
            let is_idle = |place: &Arc<Place>| !place.is_busy.load(Ordering::Acquire);
            let at = taken.iter().position(is_idle)?;
            taken.remove(at)?.is_needed.notify_one();
        }
        let place = Arc::new(Place::default());
        taken.push_back(Arc::clone(&place));
        Some(place)
    }

    fn give_back(&self, place: &Arc<Place>) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|other| !Arc::ptr_eq(other, place));
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    name: &'static str,
    tls: Option<Arc<TlsServer>>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, name, "pages cannot be served"),
    };
    let places = Arc::new(Places::default());
    loop {
        match listener.accept().await {
            Ok((stream, addr)) => {
                if let Some(place) = places.take() {
                    let peer = Peer(addr.ip());
                    let terms = tls.as_ref().map(|tls| tls.for_pages());
                    let serving = serve(stream, terms, peer, router.clone(), Arc::clone(&place));
                    let places = Arc::clone(&places);
                    tokio::spawn(async move {
                        tokio::select! {
                            _ = timeout(CONNECTION_TIMEOUT, serving) => {}
                            () = place.is_needed.notified() => {}
                        }
                        places.give_back(&place);
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, name, "accept failed");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    peer: Peer,
    router: Router,
    place: Arc<Place>,
) {
    // Answers are small and whole: there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let Some(terms) = tls else {
        return exchange(stream, peer, router, place).await;
    };
    let handshake = TlsAcceptor::from(terms).accept(stream);
    match timeout(HEAD_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => exchange(stream, peer, router, place).await,
        Ok(Err(error)) => tracing::debug!(%error, "no handshake"),
        Err(_) => tracing::debug!("no handshake in time"),
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    place: Arc<Place>,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (router, place) = (router.clone(), Arc::clone(&place));
        async move {
            place.is_busy.store(true, Ordering::Release);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let answer = timeout(REQUEST_TIMEOUT, router.oneshot(request)).await;
            place.is_busy.store(false, Ordering::Release);
            answer.unwrap_or_else(|_| Ok(StatusCode::REQUEST_TIMEOUT.into_response()))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_LEN_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

#[cfg(test)]
#[path = "public_test.rs"]
mod tests;
