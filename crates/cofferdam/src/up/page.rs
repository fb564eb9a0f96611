//! The status page of a server that runs it itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use runtime::Clock;
use runtime::http::PublicListener;
use runtime::net::tls::Trust;
use runtime::probe::{Target, Tls};

use crate::config::{ClientCertificate, Config, STATUS as DEFAULT, TlsListener};
use crate::control::{CANARY, CanaryLogin};
use crate::failure::Failure;
use crate::inherited::{Inherited, STATUS};
use crate::observe::Observatory;
use crate::plane::DataPlane;
use crate::status::{self, Doorman, Gateway, PROBE_TIMEOUT, Settings, StatusPage};

/// The page's port, if one is wanted. Where nobody chose it and somebody else has it, the service
/// goes without the page rather than not at all.
pub(super) fn listen(
    config: &Config,
    inherited: &mut Inherited,
) -> Result<Option<PublicListener>, Failure> {
    let Some(addr) = config.listen.status.value() else {
        return Ok(None);
    };
    let error = match status::listen(addr.0, inherited.take_tcp(STATUS, addr.0)) {
        Ok(listener) => return Ok(Some(listener)),
        Err(error) => error,
    };
    let remedy = "choose another listen.status (--status), port 0 picks one, or `off`";
    if addr == DEFAULT {
        tracing::warn!(%addr, %error, "no status page: {remedy}");
        return Ok(None);
    }
    Err(Failure::new(format!(
        "status page cannot listen on {addr}: {error}: {remedy}"
    )))
}

/// The page over this process: it probes what the configuration names, or else this server itself.
pub(super) fn new(
    config: &Config,
    listener: PublicListener,
    canary: Option<&CanaryLogin>,
    auth: SocketAddr,
    plane: &Arc<dyn DataPlane>,
    observatory: &Arc<Observatory>,
    clock: Clock,
) -> Result<StatusPage, Failure> {
    let mut gateways = status::gateways(config)?;
    if gateways.is_empty() {
        gateways.extend(canary.and_then(|login| itself(config, login, auth)));
    }
    let settings = Settings::of(config, gateways, doorman(Arc::clone(plane)))?
        .with_events(status::of_observatory(Arc::clone(observatory)));
    Ok(StatusPage::new(settings, listener, clock))
}

/// This server as its clients see it; none where it asks of clients what a prober cannot give.
fn itself(config: &Config, login: &CanaryLogin, auth: SocketAddr) -> Option<Gateway> {
    let addr = reachable(auth);
    let speaks_tls = config.tls.listeners.contains(&TlsListener::MemcacheAuth);
    let from_proxies_only = config
        .listen
        .proxy_protocol_from
        .iter()
        .any(|network| network.0.contains(addr.ip()));
    let needs_certificate = speaks_tls
        && config.tls.client_ca.is_some()
        && config.tls.client_certificate == ClientCertificate::Required;
    if from_proxies_only || needs_certificate {
        tracing::warn!(
            "the status page cannot log in at listen.memcache_auth, which asks for what it has not: \
             name a listener that it may use in status.gateways"
        );
        return None;
    }
    let tls = speaks_tls.then(|| Tls::new(Trust::Anybody, "localhost"));
    Some(Gateway {
        name: "Cache".to_owned(),
        target: Target {
            address: addr.to_string(),
            username: login.username.clone(),
            password: login.password.clone(),
            tls: tls.transpose().ok()?,
            timeout: PROBE_TIMEOUT,
        },
    })
}

/// "All addresses" is nothing to connect to.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Knows whose a credential is without asking anybody.
fn doorman(plane: Arc<dyn DataPlane>) -> Arc<Doorman> {
    Arc::new(move |username, password| {
        let directory = plane.directory();
        let credential = directory.verify(username.as_bytes(), password.as_bytes());
        let tenant = credential.filter(|one| one.tenant != CANARY);
        let tenant = tenant.and_then(|one| directory.tenant(one.tenant));
        Ok(tenant.map(|tenant| tenant.name.to_string()))
    })
}

#[cfg(test)]
#[path = "page_test.rs"]
mod tests;
