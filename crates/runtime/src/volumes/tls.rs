//! TLS of an NBD listener, and who a client's certificate says that it is.

use std::fmt;
use std::sync::Arc;

use base::TenantId;
use gateway::directory::Directory;
use ring::digest::{SHA256, digest};

use super::spec::Identity;
use super::stream::Stream;
use crate::net::tls::{Terms, TlsServer};

/// Where the tenants are looked up that certificates name.
type Tenants = dyn Fn() -> Arc<Directory> + Send + Sync;

/// What a listener speaks TLS with, after STARTTLS and not without; its clients show certificates.
#[derive(Clone)]
pub struct NbdTls {
    server: Arc<TlsServer>,
    tenants: Arc<Tenants>,
}

impl NbdTls {
    /// With the server's certificate and the authorities of clients', which must be required there,
    /// and the directory that is in force at the time of asking.
    pub fn new(
        server: Arc<TlsServer>,
        tenants: impl Fn() -> Arc<Directory> + Send + Sync + 'static,
    ) -> Self {
        Self {
            server,
            tenants: Arc::new(tenants),
        }
    }

    /// What the next handshake is made under.
    pub(super) fn terms(&self) -> Arc<Terms> {
        self.server.terms()
    }

    /// Who a client is by its certificate: of the one tenant that it names.
    pub(super) fn identify(&self, terms: &Terms, stream: &Stream) -> Option<Identity> {
        stream.secure()?.with_certificates(|shown| {
            let tenant: TenantId = terms.tenant_of(shown, &(self.tenants)())?;
            let own = shown?.first()?;
            let print = digest(&SHA256, own);
            Some(Identity::Certificate {
                tenant,
                print: *print.as_ref().first_chunk()?,
            })
        })
    }
}

impl fmt::Debug for NbdTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NbdTls").finish_non_exhaustive()
    }
}
