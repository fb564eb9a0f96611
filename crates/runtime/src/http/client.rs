//! One HTTP request at a time, without async at the caller: what a command line needs.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::ServiceExt;

pub use hyper::Method;

use super::origin::{Authority, Origin};
use super::unix_path::ShortPath;
use crate::net::tls::{Trust, client_config};

/// Longer than any answer takes whose server is alive.
const TIMEOUT: Duration = Duration::from_secs(60);
const ANSWER_LEN_MAX: usize = 256 << 20;

/// Where an HTTP server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// A port that asks for a bearer token.
    Port {
        /// Where it is, and whether it speaks TLS.
        origin: Origin,
        /// What to present.
        token: String,
    },
}

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("nobody answers: {0}")]
    Connect(io::Error),
    /// It is not who it should be, or speaks no TLS.
    #[error("no TLS with it: {0}")]
    Tls(String),
    /// The exchange broke off.
    #[error("the exchange broke off: {0}")]
    Exchange(#[from] hyper::Error),
    /// No answer in time.
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// The answer is no answer of ours.
    #[error("unusable answer: {0}")]
    Answer(String),
}

/// Sends one request and waits for the whole answer, at most a minute.
pub fn request(
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Response, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ClientError::Connect)?;
    runtime.block_on(async {
        let exchange = exchange(endpoint, method, path, body);
        tokio::time::timeout(TIMEOUT, exchange)
            .await
            .unwrap_or(Err(ClientError::Timeout))
    })
}

/// Has `router` answer in this process, without a socket.
pub fn call(
    router: axum::Router,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Response, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(ClientError::Connect)?;
    let head = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    let request = finish(head, body)?;
    runtime.block_on(async {
        // A router's error type has no values.
        let Ok(response) = router.oneshot(request).await;
        collect(response).await
    })
}

async fn exchange(
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    body: Option<Vec<u8>>,
) -> Result<Response, ClientError> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    match endpoint {
        Endpoint::Unix(socket) => {
            request = request.header(header::HOST, "localhost");
            let request = finish(request, body)?;
            let socket = ShortPath::of(socket).map_err(ClientError::Connect)?;
            let stream = UnixStream::connect(socket.as_path()).await;
            send(stream.map_err(ClientError::Connect)?, request).await
        }
        Endpoint::Port { origin, token } => {
            request = request
                .header(header::HOST, origin.host_and_port())
                .header(header::AUTHORIZATION, format!("Bearer {token}"));
            let request = finish(request, body)?;
            let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await;
            let stream = stream.map_err(ClientError::Connect)?;
            match &origin.tls {
                None => send(stream, request).await,
                Some(authority) => send(secure(stream, origin, authority).await?, request).await,
            }
        }
    }
}

async fn secure(
    stream: TcpStream,
    origin: &Origin,
    authority: &Authority,
) -> Result<TlsStream<TcpStream>, ClientError> {
    let trust = match authority {
        Authority::System => Trust::System,
        Authority::File(path) => Trust::File(path),
    };
    let terms = client_config(trust).map_err(ClientError::Tls)?;
    let name = ServerName::try_from(origin.host.clone())
        .map_err(|error| ClientError::Tls(error.to_string()))?;
    let handshake = TlsConnector::from(terms).connect(name, stream).await;
    handshake.map_err(|error| ClientError::Tls(error.to_string()))
}

fn finish(
    request: hyper::http::request::Builder,
    body: Option<Vec<u8>>,
) -> Result<Request<Full<Bytes>>, ClientError> {
    request
        .body(Full::new(body.unwrap_or_default().into()))
        .map_err(|e| ClientError::Answer(e.to_string()))
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response, ClientError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its error reaches the request as well.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    collect(response).await
}

async fn collect<B>(response: hyper::Response<B>) -> Result<Response, ClientError>
where
    B: hyper::body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_LEN_MAX)
        .collect()
        .await
        .map_err(|e| ClientError::Answer(e.to_string()))?
        .to_bytes()
        .to_vec();
    Ok(Response { status, body })
}
