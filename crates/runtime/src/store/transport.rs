//! The way to etcd's JSON gateway: TLS, several endpoints, one thread for all that is under way.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc as answers;
use std::thread;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::sync::mpsc;

use super::StoreError;
use super::wire::Fault;
use crate::cluster::{Identity, ReadAnew};
use crate::nodes::trust::{Trust, TrustedAnew};

/// How long a connection may take to be made, and an answer to come.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// An answer's bytes; etcd itself takes no request above 1.5 MiB.
const ANSWER_LEN_MAX: usize = 64 << 20;

/// Where etcd is and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdConfig {
    /// Base URLs of its members; `http` only for loopback addresses.
    pub endpoints: Vec<String>,
    /// For `https`.
    pub tls: Option<EtcdTls>,
}

impl EtcdConfig {
    /// Says what is wrong with the endpoints, before any of them is asked.
    pub fn check(&self) -> Result<(), StoreError> {
        endpoints(self).map(drop)
    }
}

/// Files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdTls {
    /// Who signed etcd's certificates.
    pub authority: PathBuf,
    /// Our own certificate and its key, if etcd asks clients for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A thread that carries requests to whichever endpoint answers.
#[derive(Debug)]
pub(super) struct Transport {
    jobs: mpsc::UnboundedSender<Job>,
}

struct Job {
    path: &'static str,
    body: Value,
    /// Where reading an answer may end before the answer does: at the first line of which this is
    /// true, or after so long.
    stream: Option<(Stop, Duration)>,
    answer: answers::SyncSender<Result<Option<Vec<u8>>, StoreError>>,
}

/// Whether a line of a stream is the one waited for.
pub(super) type Stop = fn(&[u8]) -> bool;

struct Gateway {
    client: reqwest::Client,
    endpoints: Vec<Url>,
    /// The one that answered last.
    good: AtomicUsize,
}

impl Transport {
    pub(super) fn start(config: &EtcdConfig) -> Result<Self, StoreError> {
        let endpoints = endpoints(config)?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(tls) = &config.tls {
            builder = builder.tls_backend_preconfigured(tls_config(tls)?);
        } else {
            builder = builder.tls_backend_preconfigured(plain_only()?);
        }
        let client = builder.build();
        let gateway = Arc::new(Gateway {
            client: client.map_err(|e| StoreError::Config(format!("etcd client: {e}")))?,
            endpoints,
            good: AtomicUsize::new(0),
        });
        let (jobs, inbox) = mpsc::unbounded_channel();
        let started = thread::Builder::new()
            .name("etcd".into())
            .spawn(move || serve(&gateway, inbox));
        started.map_err(|e| StoreError::Config(format!("cannot start a thread for etcd: {e}")))?;
        Ok(Self { jobs })
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(&self, path: &'static str, body: Value) -> Result<Vec<u8>, StoreError> {
        let answer = self.exchange(path, body, None)?;
        Ok(answer.unwrap_or_default())
    }

    /// Asks, and waits for the first line that `stop` wants; `None` after `patience` without.
    pub(super) fn listen(
        &self,
        path: &'static str,
        body: Value,
        stop: Stop,
        patience: Duration,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.exchange(path, body, Some((stop, patience)))
    }

    fn exchange(
        &self,
        path: &'static str,
        body: Value,
        stream: Option<(Stop, Duration)>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let ended = || StoreError::Unavailable("its client has ended".to_owned());
        let (answer, wait) = answers::sync_channel(1);
        let job = Job {
            path,
            body,
            stream,
            answer,
        };
        self.jobs.send(job).map_err(|_| ended())?;
        wait.recv().map_err(|_| ended())?
    }
}

/// Runs until the transport is dropped; what is under way then is given up.
fn serve(gateway: &Arc<Gateway>, mut inbox: mpsc::UnboundedReceiver<Job>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot reach etcd: no descriptors left");
            return;
        }
    };
    runtime.block_on(async {
        while let Some(job) = inbox.recv().await {
            let gateway = Arc::clone(gateway);
            tokio::spawn(async move {
                let result = gateway.try_all(&job).await;
                // Nobody waits any more only if the asking thread has died.
                let _ = job.answer.send(result);
            });
        }
    });
}

impl Gateway {
    /// Tries the endpoint that answered last, then the others; an answer that was sent for but did
    /// not come is not asked for again, since a change may have been made.
    async fn try_all(&self, job: &Job) -> Result<Option<Vec<u8>>, StoreError> {
        let first = self.good.load(Ordering::Relaxed);
        let mut errors = Vec::new();
        for offset in 0..self.endpoints.len() {
            let at = (first + offset) % self.endpoints.len();
            let (error, connected) = match self.try_one(&self.endpoints[at], job).await {
                Ok(answer) => {
                    self.good.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(Failure::Connect(error)) => (error, false),
                Err(Failure::Exchange(error)) => (error, true),
                Err(Failure::Answer(error)) => return Err(error),
            };
            errors.push(format!("{}: {error}", self.endpoints[at]));
            if connected {
                self.good.store(at + 1, Ordering::Relaxed);
                break;
            }
        }
        Err(StoreError::Unavailable(errors.join("; ")))
    }

    async fn try_one(&self, endpoint: &Url, job: &Job) -> Result<Option<Vec<u8>>, Failure> {
        let url = endpoint.join(job.path).map_err(|e| {
            let text = format!("{endpoint} is no base URL: {e}");
            Failure::Answer(StoreError::Config(text))
        })?;
        let patience = job.stream.map_or(ANSWER_TIMEOUT, |(_, patience)| patience);
        let work = self.post(url, job);
        match tokio::time::timeout(patience + CONNECT_TIMEOUT, work).await {
            Ok(result) => result,
            Err(_) if job.stream.is_some() => Ok(None),
            Err(_) => Err(Failure::Exchange("no answer in time".to_owned())),
        }
    }

    async fn post(&self, url: Url, job: &Job) -> Result<Option<Vec<u8>>, Failure> {
        let request = self.client.post(url).body(job.body.to_string());
        let mut response = request.send().await.map_err(failure)?;
        let status = response.status();
        let stop = job.stream.map(|(stop, _)| stop);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_LEN_MAX {
                let text = format!("more than {ANSWER_LEN_MAX} bytes");
                return Err(Failure::Answer(StoreError::Nonsense(text)));
            }
            if let Some(stop) = stop.filter(|_| status.is_success()) {
                while let Some(end) = body.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = body.drain(..=end).collect();
                    if stop(&line) {
                        return Ok(Some(line));
                    }
                }
            }
        }
        if status.is_success() {
            return Ok(stop.is_none().then_some(body));
        }
        let fault = serde_json::from_slice::<Fault>(&body);
        Err(Failure::Answer(match fault {
            Ok(fault) => fault.into_error(),
            Err(_) => StoreError::Nonsense(format!("status {status}")),
        }))
    }
}

enum Failure {
    /// Nobody was asked.
    Connect(String),
    /// Somebody was, but did not answer.
    Exchange(String),
    /// The answer, and it is bad.
    Answer(StoreError),
}

fn failure(error: reqwest::Error) -> Failure {
    // The innermost cause is what says something.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_connect() {
        Failure::Connect(cause.to_string())
    } else {
        Failure::Exchange(cause.to_string())
    }
}

fn endpoints(config: &EtcdConfig) -> Result<Vec<Url>, StoreError> {
    let parsed = config.endpoints.iter().map(|text| {
        let bad = |why: &str| StoreError::Config(format!("etcd endpoint {text:?} {why}"));
        let url = Url::parse(text).map_err(|e| bad(&format!("is no URL: {e}")))?;
        match url.scheme() {
            "https" if config.tls.is_some() => Ok(url),
            "https" => Err(bad(
                "needs `authority`, the file of who signed its certificate",
            )),
            "http" if is_loopback(&url) => Ok(url),
            "http" => Err(bad("is not on this machine: use https")),
            _ => Err(bad("is neither http nor https")),
        }
    });
    let urls = parsed.collect::<Result<Vec<Url>, _>>()?;
    if urls.is_empty() {
        return Err(StoreError::Config(
            "etcd needs at least one endpoint".into(),
        ));
    }
    Ok(urls)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || host
            .parse::<SocketAddr>()
            .is_ok_and(|a| a.ip().is_loopback())
        || host == "localhost"
}

fn tls_config(tls: &EtcdTls) -> Result<rustls::ClientConfig, StoreError> {
    let bad = |path: &Path, why: String| {
        let path = path.display();
        StoreError::Config(format!("cannot use {path} for etcd: {why}"))
    };
    let trust = Trust::read(&tls.authority);
    let trust = trust.map_err(|error| StoreError::Config(format!("for etcd: {error}")))?;
    // Both may be others while we run.
    let trusted = Arc::new(TrustedAnew(trust));
    let builder = builder()?
        .dangerous()
        .with_custom_certificate_verifier(trusted);
    let Some((certificate, key)) = &tls.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let identity = Identity::read(certificate, key).map_err(|(path, why)| bad(&path, why))?;
    Ok(builder.with_client_cert_resolver(Arc::new(ReadAnew(identity))))
}

fn plain_only() -> Result<rustls::ClientConfig, StoreError> {
    let roots = rustls::RootCertStore::empty();
    let builder = builder()?.with_root_certificates(roots);
    Ok(builder.with_no_client_auth())
}

fn builder()
-> Result<rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| StoreError::Config(format!("TLS for etcd: {e}")))
}
