//! What the configuration says of TLS, as the listeners take it.

use runtime::net::tls::{ClientCertificates, TlsFiles};

use crate::config::{ClientCertificate, Config, Switch};

/// The files of certificates, where a listener speaks TLS and they are given.
pub(crate) fn files(config: &Config) -> Option<TlsFiles> {
    let tls = &config.tls;
    if config.listen.memcache_tls == Switch::Off && tls.listeners.is_empty() {
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

#[cfg(test)]
#[path = "tls_test.rs"]
mod tests;
