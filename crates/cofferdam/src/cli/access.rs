//! The way from a command to control: the daemon's socket, its port, or the state itself.

use std::env;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use runtime::Clock;
use runtime::http::{self, ClientError, Endpoint, Method, Response};
use runtime::state::{State, StateError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::global::Global;
use super::output;
use crate::api::Api;
use crate::config::{Config, Switch};
use crate::control::{Control, NoPlane, last_in_force};
use crate::failure::Failure;
use crate::files;
use crate::wire::ErrorBody;

/// How long a state may be on its way from one process to its successor.
const HAND_OVER_PATIENCE: Duration = Duration::from_secs(10);
const HAND_OVER_RETRY: Duration = Duration::from_millis(20);
/// The status of a daemon that has the state no more.
const MISDIRECTED: u16 = 421;

/// Asks control, wherever it is.
pub(crate) enum Access {
    /// A running daemon.
    Daemon(Endpoint),
    /// None runs: the same API, answered in this process from the locked state.
    State(Router),
}

impl Access {
    /// The daemon if one runs, else the state itself, which is said on standard error.
    pub(crate) fn find(global: &Global) -> Result<Self, Failure> {
        let config = Config::load(global.config.as_deref(), &global.overrides())?;
        if let Some(daemon) = Self::try_daemon(global, &config)? {
            return Ok(daemon);
        }
        let dir = config.data_dir();
        if !dir.is_dir() {
            return Err(Failure::new(format!(
                "there is no data folder {}: start a daemon with `cofferdam up`, which makes it, or \
                 say where it is with --data-dir",
                dir.display()
            )));
        }
        let router = open_state(&dir, &config)?;
        let note = format!(
            "no daemon runs; using the state in {} itself",
            dir.display()
        );
        output::note(global, &note);
        Ok(Self::State(router))
    }

    /// Whether nobody serves.
    pub(crate) fn is_offline(&self) -> bool {
        matches!(self, Self::State(_))
    }

    /// The daemon, or a failure that says where none was found.
    pub(crate) fn daemon(global: &Global) -> Result<Self, Failure> {
        let config = Config::load(global.config.as_deref(), &global.overrides())?;
        Self::try_daemon(global, &config)?.ok_or_else(|| {
            Failure::new(format!(
                "no daemon serves {}: start one with `cofferdam up`, or say where it is with \
                 --data-dir or --admin",
                config.data_dir().display()
            ))
        })
    }

    /// The daemon, if one runs.
    pub(crate) fn running(global: &Global) -> Result<Option<Self>, Failure> {
        let config = Config::load(global.config.as_deref(), &global.overrides())?;
        Self::try_daemon(global, &config)
    }

    /// The daemon where there is one. A wrong `--admin` is a failure and not "none".
    fn try_daemon(global: &Global, config: &Config) -> Result<Option<Self>, Failure> {
        let dir = config.data_dir();
        match &global.admin {
            Some(Switch::Off) => Err(Failure::Usage(
                "--admin off is for `up`: give ADDR:PORT or https://HOST:PORT here".into(),
            )),
            Some(Switch::On(place)) => {
                if global.admin_ca.is_some() && place.0.tls.is_none() {
                    return Err(Failure::Usage(format!(
                        "--admin-ca is for TLS: ask at --admin https://{place}, or leave it out"
                    )));
                }
                let origin = place.0.clone().with_authority(global.admin_ca.clone());
                let token = admin_token(&dir)?;
                Ok(Some(Self::Daemon(Endpoint::Port { origin, token })))
            }
            None => {
                let socket = Endpoint::Unix(dir.join(files::ADMIN_SOCKET));
                match http::request(&socket, Method::GET, "/livez", None) {
                    Ok(_) => Ok(Some(Self::Daemon(socket))),
                    Err(ClientError::Connect(e))
                        if matches!(
                            e.kind(),
                            ErrorKind::NotFound
                                | ErrorKind::ConnectionRefused
                                | ErrorKind::NotADirectory
                        ) =>
                    {
                        Ok(None)
                    }
                    Err(e) => Err(unreachable_daemon(&socket, &e)),
                }
            }
        }
    }

    /// Asks and reads the JSON answer.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let response = self.exchange(method, path, body)?;
        serde_json::from_slice(&response.body).map_err(|e| {
            Failure::new(format!(
                "the daemon's answer is not understood: {e}; is it another release?"
            ))
        })
    }

    /// Asks for something that is answered by its success alone.
    pub(crate) fn tell(&self, method: Method, path: &str) -> Result<(), Failure> {
        self.exchange(method, path, None::<&()>).map(drop)
    }

    /// Asks for bytes.
    pub(crate) fn fetch(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.exchange(Method::GET, path, None::<&()>)?.body)
    }

    fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Response, Failure> {
        let body = body.map(serde_json::to_vec).transpose()?;
        let response = match self {
            Self::Daemon(endpoint) => ask_whoever_serves(endpoint, &method, path, body.as_ref())?,
            Self::State(router) => http::call(router.clone(), method, path, body)?,
        };
        if (200..300).contains(&response.status) {
            return Ok(response);
        }
        Err(match serde_json::from_slice::<ErrorBody>(&response.body) {
            Ok(body) => Failure::new(body.error),
            Err(_) => Failure::new(format!(
                "the daemon answered with status {}",
                response.status
            )),
        })
    }
}

/// Asks again where the state has just gone over to a successor: nothing was done, and a new connection
/// leads to whoever has it now.
fn ask_whoever_serves(
    endpoint: &Endpoint,
    method: &Method,
    path: &str,
    body: Option<&Vec<u8>>,
) -> Result<Response, Failure> {
    let clock = Clock::new();
    let deadline = clock.now() + HAND_OVER_PATIENCE;
    loop {
        let response = http::request(endpoint, method.clone(), path, body.cloned())
            .map_err(|e| unreachable_daemon(endpoint, &e))?;
        if response.status != MISDIRECTED || clock.now() >= deadline {
            return Ok(response);
        }
        thread::park_timeout(HAND_OVER_RETRY);
    }
}

fn unreachable_daemon(endpoint: &Endpoint, error: &ClientError) -> Failure {
    let (place, has_tls) = match endpoint {
        Endpoint::Unix(path) => (path.display().to_string(), false),
        Endpoint::Port { origin, .. } => (origin.to_string(), origin.tls.is_some()),
    };
    let remedy = match error {
        ClientError::Tls(_) => {
            "is that the name in its certificate, and --admin-ca who signed it? Or speaks it no TLS?"
        }
        ClientError::Exchange(_) if !has_tls => "if it speaks TLS, ask at https://HOST:PORT",
        _ => "is the daemon running, and may this user reach it?",
    };
    Failure::new(format!("admin API at {place}: {error}: {remedy}"))
}

/// The same router that a daemon serves, over the state in `dir`.
fn open_state(dir: &Path, config: &Config) -> Result<Router, Failure> {
    let state = State::open(dir).map_err(|e| match e {
        StateError::Locked { .. } => Failure::new(format!(
            "{e}; it does not answer at {}, so it may be starting or stopping: try again",
            dir.join(files::ADMIN_SOCKET).display()
        )),
        other => other.into(),
    })?;
    let (sizes, servers) = last_in_force(&state, config)?;
    let control = Control::new(state, Arc::new(NoPlane), sizes, servers);
    Ok(Api::new(Arc::new(control), Clock::new()).router())
}

fn admin_token(dir: &Path) -> Result<String, Failure> {
    match env::var(files::TOKEN_VARIABLE) {
        Ok(token) => Ok(token.trim().to_owned()),
        Err(_) => files::read_token(&dir.join(files::ADMIN_TOKEN)),
    }
}

/// One segment of a path, with everything but letters, digits and `-._~` as `%XX` (RFC 3986).
pub(crate) fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
#[path = "access_test.rs"]
mod tests;
