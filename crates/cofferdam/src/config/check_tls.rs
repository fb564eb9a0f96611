//! Whether what is said of TLS can be meant together.

use std::path::PathBuf;

use super::{ClientCertificate, Config, Switch, TlsListener};

impl Config {
    pub(super) fn check_tls(&self) -> Result<(), String> {
        let (tls, admin) = (&self.tls, &self.admin);
        check_pair("tls", &tls.certificate, &tls.key)?;
        check_pair("admin", &admin.certificate, &admin.key)?;
        if tls.client_certificate == ClientCertificate::Required && tls.client_ca.is_none() {
            return Err(
                "tls.client_certificate is \"required\", but tls.client_ca is not set: \
                        give the PEM file of who signs them"
                    .into(),
            );
        }
        let console = self.listen.tenant_console.value();
        let console = console.filter(|addr| !addr.0.ip().is_loopback());
        let listener = match (self.listen.memcache_tls, tls.listeners.is_empty(), console) {
            (Switch::On(_), ..) => "listen.memcache_tls",
            (_, false, _) => "tls.listeners",
            (.., Some(_)) => "listen.tenant_console, which is not on loopback,",
            _ if tls.certificate.is_some() => {
                return Err(
                    "tls.certificate is set, but no listener speaks TLS: give listen.memcache_tls an \
                     address, or name listeners in tls.listeners"
                        .into(),
                );
            }
            _ => return Ok(()),
        };
        let mut files = vec![("certificate", &tls.certificate), ("key", &tls.key)];
        if tls.listeners.contains(&TlsListener::Nbd) {
            files.push(("client_ca", &tls.client_ca));
        }
        for (key, file) in files {
            if file.is_none() {
                return Err(format!(
                    "{listener} asks for TLS, but tls.{key} is not set: give a PEM file"
                ));
            }
        }
        Ok(())
    }
}

/// One is of no use without the other.
fn check_pair(
    table: &str,
    certificate: &Option<PathBuf>,
    key: &Option<PathBuf>,
) -> Result<(), String> {
    let (given, missing) = match (certificate, key) {
        (Some(_), None) => ("certificate", "key"),
        (None, Some(_)) => ("key", "certificate"),
        _ => return Ok(()),
    };
    Err(format!(
        "{table}.{given} is set, but {table}.{missing} is not: give both PEM files"
    ))
}

#[cfg(test)]
#[path = "check_tls_test.rs"]
mod tests;
