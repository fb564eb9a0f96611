//! What a status page is told at its start: what to probe, whom to ask, what to call itself.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runtime::Clock;
use runtime::net::tls::{TlsServer, Trust};
use runtime::probe::{self, Target, Tls};
use status::desk::Bar;
use status::judge::Standard;

use super::events::EventSource;
use super::mail::Mailer;
use crate::config::{Config, Publish, StatusGateway};
use crate::failure::Failure;
use crate::tls;

/// The longest that a probe may take.
pub(crate) const PROBE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// One gateway to probe.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    /// What the public reads.
    pub(crate) name: String,
    /// Where, and as whom.
    pub(crate) target: Target,
}

/// Says whose a credential is: the tenant, none if it is wrong, an error if nobody can say now.
pub(crate) type Doorman = dyn Fn(&str, &str) -> Result<Option<String>, String> + Send + Sync;

/// All of it.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) name: String,
    /// The public address without a slash at its end, or nothing.
    pub(crate) url: String,
    pub(crate) hosts: Vec<String>,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) every: Duration,
    pub(crate) standard: Standard,
    pub(crate) bar: Bar,
    pub(crate) export: Option<PathBuf>,
    /// Who tells what the service says of itself, if anybody does; asked by one thread.
    pub(crate) events: Option<Arc<Mutex<EventSource>>>,
    /// Who knows whose a credential is.
    pub(crate) doorman: Arc<Doorman>,
    /// Who sends mail, if anybody does.
    pub(crate) mailer: Option<Mailer>,
    /// Whether webhooks may be at addresses that are not public.
    pub(crate) allows_private: bool,
    /// What the page speaks TLS with, if it does.
    pub(crate) tls: Option<Arc<TlsServer>>,
}

impl Settings {
    /// As configured, over these gateways.
    pub(crate) fn of(
        config: &Config,
        gateways: Vec<Gateway>,
        doorman: Arc<Doorman>,
    ) -> Result<Self, Failure> {
        let status = &config.status;
        let url = status.url.clone().unwrap_or_default();
        let url = url.trim_end_matches('/').to_owned();
        let mut hosts = status.hosts.clone();
        hosts.extend(host_of(&url).map(str::to_owned));
        let every = status.every.0;
        Ok(Self {
            name: status.name.clone(),
            url,
            hosts,
            gateways,
            every,
            standard: Standard {
                slow: status.slow.0,
                // Two probes may be missing, and the last may take its whole time.
                stale: (3 * every + PROBE_TIMEOUT).max(Standard::default().stale),
            },
            bar: Bar {
                is_automatic: status.publish == Publish::Auto,
                calm: Bar::default().calm.max(4 * every),
                ..Bar::default()
            },
            export: status.export.clone(),
            events: None,
            doorman,
            mailer: Mailer::of(config)?,
            allows_private: config.webhooks.private_addresses,
            tls: tls::of_status(config)?,
        })
    }

    /// Whether readers come over https: to the page itself, or to what stands before it.
    pub(super) fn is_secure(&self) -> bool {
        self.tls.is_some() || self.url.starts_with("https://")
    }

    /// Heard by `source` of what the service says of itself.
    pub(crate) fn with_events(mut self, source: EventSource) -> Self {
        self.events = Some(Arc::new(Mutex::new(source)));
        self
    }

    /// Asks for events, if anybody tells them.
    pub(super) fn ask_events(&self) -> Option<Result<Vec<status::affairs::ServiceEvent>, String>> {
        let source = self.events.as_ref()?;
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        Some(source())
    }
}

/// The gateways that a configuration names, with their passwords read.
pub(crate) fn gateways(config: &Config) -> Result<Vec<Gateway>, Failure> {
    config.status.gateways.iter().map(gateway).collect()
}

fn gateway(one: &StatusGateway) -> Result<Gateway, Failure> {
    let failed = |what: String| Failure::new(format!("status.gateways, {:?}: {what}", one.name));
    let password = fs::read_to_string(&one.password_file).map_err(|error| {
        failed(format!(
            "cannot read {}: {error}",
            one.password_file.display()
        ))
    })?;
    let trust = match &one.ca {
        Some(path) => Trust::File(path),
        None => Trust::System,
    };
    let tls = match one.tls {
        false => None,
        true => {
            let host = one.address.rsplit_once(':').map_or("", |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some(Tls::new(trust, host).map_err(failed)?)
        }
    };
    Ok(Gateway {
        name: one.name.clone(),
        target: Target {
            address: one.address.clone(),
            username: one.username.clone(),
            password: password.trim().to_owned(),
            tls,
            timeout: PROBE_TIMEOUT,
        },
    })
}

/// Has the first gateway that answers say whether a credential is right; whose it is, is what it is
/// called.
pub(crate) fn ask_gateways(gateways: &[Gateway], clock: Clock) -> Arc<Doorman> {
    let targets: Vec<Target> = gateways.iter().map(|one| one.target.clone()).collect();
    Arc::new(move |username, password| {
        let mut last = String::new();
        for target in &targets {
            let target = Target {
                username: username.to_owned(),
                password: password.to_owned(),
                ..target.clone()
            };
            match probe::login(&target, clock) {
                Ok(is_right) => return Ok(is_right.then(|| username.to_owned())),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    })
}

/// `status.example` of `https://status.example:8443/page`.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map(|(_, rest)| rest)?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
#[path = "settings_test.rs"]
mod tests;
