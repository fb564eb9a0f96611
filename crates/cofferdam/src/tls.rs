//! What the configuration says of TLS, as the listeners take it.

use std::sync::Arc;

use runtime::net::tls::{ClientCertificates, TlsError, TlsFiles, TlsServer};

use crate::config::{ClientCertificate, Config, Switch, TlsListener};

/// The files of certificates, where a listener speaks TLS and they are given.
pub(crate) fn files(config: &Config) -> Option<TlsFiles> {
    let tls = &config.tls;
    let elsewhere = [
        TlsListener::Nbd,
        TlsListener::TenantConsole,
        TlsListener::Status,
    ];
    let mut others = (tls.listeners.iter()).filter(|one| !elsewhere.contains(one));
    if config.listen.memcache_tls == Switch::Off && others.next().is_none() {
        return None;
    }
    let authorities = tls.client_ca.clone();
    Some(TlsFiles {
        certificate: tls.certificate.clone()?,
        key: tls.key.clone()?,
        clients: authorities.map(|authorities| ClientCertificates {
            authorities,
            required: tls.client_certificate == ClientCertificate::Required,
        }),
    })
}

/// The same for volumes, whose clients have no other way to say who they are than a certificate.
pub(crate) fn nbd_files(config: &Config) -> Option<TlsFiles> {
    let tls = &config.tls;
    if !tls.listeners.contains(&TlsListener::Nbd) {
        return None;
    }
    Some(TlsFiles {
        certificate: tls.certificate.clone()?,
        key: tls.key.clone()?,
        clients: Some(ClientCertificates {
            authorities: tls.client_ca.clone()?,
            required: true,
        }),
    })
}

/// The files of the tenants' console, where that speaks TLS: browsers show no certificate.
pub(crate) fn files_for_pages(config: &Config) -> Option<TlsFiles> {
    let tls = &config.tls;
    let console = config.listen.tenant_console.value()?;
    let is_wanted = tls.listeners.contains(&TlsListener::TenantConsole);
    if console.0.ip().is_loopback() && !is_wanted {
        return None;
    }
    Some(TlsFiles {
        certificate: tls.certificate.clone()?,
        key: tls.key.clone()?,
        clients: None,
    })
}

/// The files of the status page, where that speaks TLS.
pub(crate) fn status_files(config: &Config) -> Option<TlsFiles> {
    let tls = &config.tls;
    if !tls.listeners.contains(&TlsListener::Status) {
        return None;
    }
    Some(TlsFiles {
        certificate: tls.certificate.clone()?,
        key: tls.key.clone()?,
        clients: None,
    })
}

/// What the status page speaks TLS with, if it does.
pub(crate) fn of_status(config: &Config) -> Result<Option<Arc<TlsServer>>, TlsError> {
    let files = status_files(config);
    let server = files.as_ref().map(TlsServer::new).transpose()?;
    Ok(server.map(Arc::new))
}

/// The files of the admin port, where that speaks TLS.
pub(crate) fn admin_files(config: &Config) -> Option<TlsFiles> {
    let admin = &config.admin;
    Some(TlsFiles {
        certificate: admin.certificate.clone()?,
        key: admin.key.clone()?,
        clients: None,
    })
}

/// What the admin port speaks TLS with, if it does.
pub(crate) fn of_admin(config: &Config) -> Result<Option<Arc<TlsServer>>, TlsError> {
    let files = admin_files(config).filter(|_| config.listen.admin != Switch::Off);
    let server = files.as_ref().map(TlsServer::new).transpose()?;
    Ok(server.map(Arc::new))
}

#[cfg(test)]
#[path = "tls_test.rs"]
mod tests;
