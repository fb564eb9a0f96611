//! How every listener for HTTP treats its connections: TLS where that is wanted, deadlines, and places
//! that those who ask for nothing cannot keep.
//!
//! When all places are taken the connection goes that has waited longest without a request under
//! way, so that whoever dribbles a request holds a place only as long as nobody needs it.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::places::{Holder, Place, Places};
use super::server::Peer;
use crate::net::tls::TlsServer;

/// From the first byte of a request, or the end of the one before, to the end of its head; and for the
/// handshake before all.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// One connection, however many requests it makes.
pub(super) const CONNECTION_TIMEOUT: Duration = Duration::from_secs(300);
const HEAD_LEN_MAX: usize = 16 * 1024;
/// Pause after an accept that failed for want of descriptors, so that the thread does not spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How the connections of one listener are treated.
#[derive(Clone)]
pub(super) struct Reception {
    /// For the log.
    pub(super) name: &'static str,
    pub(super) router: Router,
    /// What TLS is spoken with, if it is.
    pub(super) tls: Option<Arc<TlsServer>>,
    /// One request, its body included.
    pub(super) request_timeout: Duration,
    pub(super) places: Arc<Places>,
}

impl Reception {
    /// Takes in whoever comes by TCP, until it is dropped.
    pub(super) async fn serve_tcp(self, listener: io::Result<TcpListener>) {
        let listener = match listener.and_then(tokio::net::TcpListener::from_std) {
            Ok(listener) => listener,
            Err(error) => return self.give_up(&error),
        };
        loop {
            match listener.accept().await {
                Ok((stream, addr)) => {
                    self.take_in(|this, place| this.greet(stream, Peer(addr.ip()), place));
                }
                Err(error) => self.retry_later(&error).await,
            }
        }
    }

    /// The same on a Unix socket, where nobody has an address, and TLS would hide nothing.
    pub(super) async fn serve_unix(self, listener: io::Result<UnixListener>) {
        let listener = match listener.and_then(tokio::net::UnixListener::from_std) {
            Ok(listener) => listener,
            Err(error) => return self.give_up(&error),
        };
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.take_in(|this, place| this.exchange(stream, None, place)),
                Err(error) => self.retry_later(&error).await,
            }
        }
    }

    fn give_up(&self, error: &io::Error) {
        tracing::error!(%error, listener = self.name, "cannot be served");
    }

    async fn retry_later(&self, error: &io::Error) {
        tracing::warn!(%error, listener = self.name, "accept failed");
        sleep(ACCEPT_RETRY).await;
    }

    /// Serves one connection as a task; where there is no place for it, it is closed unread.
    fn take_in<F>(&self, serve: impl FnOnce(Self, Arc<Place>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(place) = self.places.take() else {
            return;
        };
        let holder = Holder::new(&self.places, &place);
        let serving = serve(self.clone(), place);
        tokio::spawn(async move {
            tokio::select! {
                _ = timeout(CONNECTION_TIMEOUT, serving) => {}
                () = holder.place().needed() => {}
            }
        });
    }

    async fn greet(self, stream: TcpStream, peer: Peer, place: Arc<Place>) {
        // Answers are small and whole: there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let Some(terms) = self.tls.as_ref().map(|tls| tls.for_pages()) else {
            return self.exchange(stream, Some(peer), place).await;
        };
        let handshake = TlsAcceptor::from(terms).accept(stream);
        match timeout(HEAD_TIMEOUT, handshake).await {
            Ok(Ok(stream)) => self.exchange(stream, Some(peer), place).await,
            Ok(Err(error)) => tracing::debug!(%error, listener = self.name, "no handshake"),
            Err(_) => tracing::debug!(listener = self.name, "no handshake in time"),
        }
    }

    async fn exchange(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Option<Peer>,
        place: Arc<Place>,
    ) {
        let (router, request_timeout) = (self.router, self.request_timeout);
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (router, place) = (router.clone(), Arc::clone(&place));
            async move {
                place.work();
                let mut request = request.map(Body::new);
                if let Some(peer) = peer {
                    request.extensions_mut().insert(peer);
                }
                let answer = timeout(request_timeout, router.oneshot(request)).await;
                let answer =
                    answer.unwrap_or_else(|_| Ok(StatusCode::REQUEST_TIMEOUT.into_response()));
                answer.map(|answer| answer.map(|body| place.send(body)))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_LEN_MAX)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, listener = self.name, "connection ended");
        }
    }
}
