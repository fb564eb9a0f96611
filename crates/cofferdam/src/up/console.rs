//! The tenants' console of a server, on a listener of its own.

use std::sync::Arc;

use runtime::http::PublicListener;
use runtime::net::tls::TlsServer;

use crate::config::{Config, TENANT_CONSOLE as DEFAULT};
use crate::failure::Failure;
use crate::inherited::{Inherited, TENANT_CONSOLE};
use crate::tenant_console::{Parts, TenantConsole};
use crate::{status, tls};

/// The console's port, if one is wanted. Where nobody chose it and somebody else has it, the service
/// goes without the console rather than not at all.
pub(super) fn listen(
    config: &Config,
    inherited: &mut Inherited,
) -> Result<Option<PublicListener>, Failure> {
    let Some(addr) = config.listen.tenant_console.value() else {
        return Ok(None);
    };
    let error = match status::listen(addr.0, inherited.take_tcp(TENANT_CONSOLE, addr.0)) {
        Ok(listener) => return Ok(Some(listener)),
        Err(error) => error,
    };
    let remedy =
        "choose another listen.tenant_console (--tenant-console), port 0 picks one, or `off`";
    if addr == DEFAULT {
        tracing::warn!(%addr, %error, "no tenants' console: {remedy}");
        return Ok(None);
    }
    Err(Failure::new(format!(
        "tenants' console cannot listen on {addr}: {error}: {remedy}"
    )))
}

/// What it speaks TLS with, if it does.
pub(super) fn tls(config: &Config) -> Result<Option<Arc<TlsServer>>, Failure> {
    let files = tls::files_for_pages(config);
    let server = files.as_ref().map(TlsServer::new).transpose()?;
    Ok(server.map(Arc::new))
}

/// The console over this process.
pub(super) fn new(
    config: &Config,
    listener: PublicListener,
    tls: Option<Arc<TlsServer>>,
    parts: Parts,
) -> TenantConsole {
    TenantConsole::new(parts, listener, tls, config.tenant_console.hosts.clone())
}
