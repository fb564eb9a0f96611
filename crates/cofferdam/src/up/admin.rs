//! Where the admin API is asked, and by whom.

use std::sync::Arc;

use runtime::http::{BindError, Guard, Listeners};
use runtime::net::tls::TlsServer;

use crate::config::Config;
use crate::failure::Failure;
use crate::inherited::{ADMIN, ADMIN_UNIX, Inherited};
use crate::{api, files};

/// Binds the socket in the data folder, and the port where one is wanted, or takes them over.
pub(super) fn listen(
    config: &Config,
    inherited: &mut Inherited,
    tls: Option<Arc<TlsServer>>,
) -> Result<Listeners, Failure> {
    let tcp = config.listen.admin.value().map(|addr| addr.0);
    let path = config.data_dir().join(files::ADMIN_SOCKET);
    let unix_socket = inherited.take_unix(ADMIN_UNIX, &path);
    let tcp_socket = tcp.and_then(|addr| inherited.take_tcp(ADMIN, addr));
    let listeners = Listeners::adopt(&path, unix_socket, tcp, tcp_socket).map_err(admin_failure)?;
    let addr = listeners.tcp_addr();
    if let Some(addr) = addr.filter(|addr| !addr.ip().is_loopback() && tls.is_none()) {
        tracing::warn!(
            %addr,
            "the admin API can be reached from other machines and its token travels in the clear: \
             give it TLS with admin.certificate and admin.key"
        );
    }
    Ok(listeners.with_tls(tls))
}

/// Who may ask over TCP.
pub(super) fn guard(config: &Config) -> Result<Guard, Failure> {
    Ok(Guard {
        token: files::token(&config.data_dir().join(files::ADMIN_TOKEN))?,
        hosts: config.admin.hosts.clone(),
        open_paths: api::OPEN_PATHS,
    })
}

/// An admin listener that cannot be had, with the key and flag of its address.
fn admin_failure(error: BindError) -> Failure {
    Failure::new(match error {
        BindError::Tcp { .. } => {
            format!("{error}: choose another listen.admin (--admin), port 0 picks one")
        }
        BindError::Unix { .. } => format!("{error}: choose another --data-dir, or free its disk"),
    })
}
