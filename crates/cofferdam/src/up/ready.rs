//! What is said once all listeners serve.

use std::io::{self, Write};
use std::net::SocketAddr;

use sd_notify::NotifyState;

use crate::cli::output::shell_word;
use crate::config::Config;
use crate::files;
use crate::logging::LogFormat;
use crate::plane::RunningPlane;
use crate::tls::{files_for_pages, status_files};

/// Where pages are served.
pub(super) struct Pages {
    pub(super) status: Option<SocketAddr>,
    pub(super) tenants: Option<SocketAddr>,
}

/// The ready line for programs on standard output, how to connect for people on standard error.
pub(super) fn tell_ready(
    config: &Config,
    running: &dyn RunningPlane,
    admin: Option<SocketAddr>,
    nbd: Option<SocketAddr>,
    pages: &Pages,
) {
    let (open, auth) = running.addresses();
    let tls = running.tls_address();
    let shown = |addr: Option<SocketAddr>| addr.map_or("off".to_owned(), |addr| addr.to_string());
    let (open, admin) = (shown(open), shown(admin));
    let nbd = shown(nbd);
    let (status, tenants) = (shown(pages.status), shown(pages.tenants));
    match config.log_format {
        LogFormat::Text => explain(config, &open, auth, (&admin, &nbd), pages),
        LogFormat::Json => {
            tracing::info!(
                memcache = open,
                memcache_auth = %auth,
                admin,
                nbd,
                status,
                tenant_console = tenants,
                "ready"
            );
        }
    }
    let mut line = format!(
        "ready memcache={open} memcache_auth={auth} admin={admin} nbd={nbd} status={status} \
         tenant_console={tenants}"
    );
    if let Some(tls) = tls {
        line.push_str(&format!(" memcache_tls={tls}"));
    }
    line.push('\n');
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "nobody reads the ready line");
    }
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        tracing::warn!(%error, "the service manager was not told");
    }
}

/// Tells a person how to connect.
fn explain(
    config: &Config,
    open: &str,
    auth: SocketAddr,
    (admin, nbd): (&str, &str),
    pages: &Pages,
) {
    let dir = config.data_dir();
    let flag = match config.data_dir {
        Some(_) => format!(" --data-dir {}", shell_word(&dir)),
        None => String::new(),
    };
    let way_in = match config.listen.admin.value() {
        Some(_) => format!("token in {}", dir.join(files::ADMIN_TOKEN).display()),
        None => format!("{} only", dir.join(files::ADMIN_SOCKET).display()),
    };
    let page = |scheme: &str, addr: Option<SocketAddr>| {
        addr.map_or("off".to_owned(), |addr| format!("{scheme}://{addr}/"))
    };
    let scheme = |files: Option<_>| match files {
        Some(_) => "https",
        None => "http",
    };
    let status_page = page(scheme(status_files(config)), pages.status);
    let tenants = page(scheme(files_for_pages(config)), pages.tenants);
    eprintln!(
        "cofferdam {version} is ready\n\
         \x20 open tenant \"default\"  {open}  (no password, this machine only)\n\
         \x20 all other tenants      {auth}  (cofferdam tenant add NAME --memory 100MiB{flag})\n\
         \x20 volumes                {nbd}  (cofferdam volume create NAME --size 10GiB{flag})\n\
         \x20 admin API              {admin}  ({way_in})\n\
         \x20 status page            {status_page}\n\
         \x20 tenants' console       {tenants}  (each with a credential of its own)\n\
         \x20 live figures           cofferdam stat --watch{flag}",
        version = env!("CARGO_PKG_VERSION"),
    );
}
