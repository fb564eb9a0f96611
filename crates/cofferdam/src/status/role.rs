//! `cofferdam status`: the page as a process of its own, which watches from where it is.

use std::io::{self, Write};
use std::path::Path;

use runtime::Clock;
use runtime::http::Endpoint;
use runtime::state::create_private_dir;
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::settings::{Settings, ask_gateways, gateways};
use super::{StatusPage, events, listen};
use crate::config::{Config, Overrides};
use crate::failure::Failure;
use crate::inherited::{Inherited, STATUS};
use crate::observe::service::Reloading;
use crate::{files, logging, tls};

/// Serves until SIGTERM or SIGINT; a SIGHUP has the files of its certificate read again.
pub(crate) fn run(file: Option<&Path>, overrides: &Overrides) -> Result<(), Failure> {
    let mut inherited = Inherited::of_manager()?;
    let config = Config::load(file, overrides)?;
    let _level = logging::start(config.log_format, config.log_level);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let clock = Clock::new();
    let Some(addr) = config.listen.status.value() else {
        return Err(Failure::new(
            "listen.status is off: give the address of the page with --status ADDR:PORT",
        ));
    };
    let settings = settings(&config, clock)?;
    let dir = config.data_dir();
    create_private_dir(&dir)
        .map_err(|error| Failure::new(format!("cannot create {}: {error}", dir.display())))?;
    let listener = listen(addr.0, inherited.take_tcp(STATUS, addr.0)).map_err(|error| {
        Failure::new(format!(
            "cannot listen on {addr}: {error}: choose another listen.status (--status)"
        ))
    })?;
    let page = StatusPage::new(settings, listener, clock);
    page.start(&dir)?;
    if let Some(addr) = page.addr() {
        tracing::info!(%addr, token = %dir.join(super::TOKEN).display(), "status page");
        let mut out = io::stdout().lock();
        if let Err(error) = writeln!(out, "ready status={addr}").and_then(|()| out.flush()) {
            tracing::warn!(%error, "nobody reads the ready line");
        }
    }
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    for signal in signals.forever() {
        match signal {
            SIGHUP => renew(&page, file, overrides),
            _ => break,
        }
    }
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    page.pause();
    Ok(())
}

/// Begins later connections with what the files of the certificate hold now.
fn renew(page: &StatusPage, file: Option<&Path>, overrides: &Overrides) {
    let _told = Reloading::begin();
    let renewed = || -> Result<bool, Failure> {
        let config = Config::load(file, overrides)?;
        let (server, files) = (page.tls_server(), tls::status_files(&config));
        let renewed = server.zip(files).map(|(tls, files)| tls.reload(&files));
        Ok(renewed.transpose()?.unwrap_or(false))
    };
    match renewed() {
        Ok(true) => tracing::info!("certificate read again"),
        Ok(false) => {
            tracing::info!("nothing changes before a restart but the certificate, and that has not")
        }
        Err(error) => {
            tracing::error!(%error, "certificate not read again; what was in force stays in force");
        }
    }
}

fn settings(config: &Config, clock: Clock) -> Result<Settings, Failure> {
    let gateways = gateways(config)?;
    if gateways.is_empty() {
        return Err(Failure::new(
            "status.gateways names nothing to watch: add for instance [[status.gateways]] with \
             name, address, username and password_file",
        ));
    }
    let doorman = ask_gateways(&gateways, clock);
    let settings = Settings::of(config, gateways, doorman)?;
    let Some(place) = config.status.events_from.clone() else {
        return Ok(settings);
    };
    let Some(path) = &config.status.events_token_file else {
        return Err(Failure::new(
            "status.events_from needs status.events_token_file: the file with the admin token",
        ));
    };
    let token = files::read_token(path)?;
    let endpoint = Endpoint::Port {
        origin: place.0.with_authority(config.status.events_ca.clone()),
        token,
    };
    Ok(settings.with_events(events::of_admin(endpoint)))
}
