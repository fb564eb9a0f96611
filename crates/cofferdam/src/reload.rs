//! Reading the configuration again while running.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use runtime::net::tls::{TlsFiles, TlsServer};

use crate::config::{Change, Config, Overrides};
use crate::control::{Control, Sizes};
use crate::failure::Failure;
use crate::logging::LevelSwitch;
use crate::observe::service::Reloading;
use crate::servers;
use crate::wire::ReloadReport;

/// What the configuration says of a listener's files.
type FilesOf = fn(&Config) -> Option<TlsFiles>;

/// Holds what is in force and what it came from.
pub(crate) struct Reloader {
    file: Option<PathBuf>,
    overrides: Overrides,
    in_force: Mutex<Config>,
    /// Where `memcache_auth` is bound, if it is.
    auth: Option<SocketAddr>,
    control: Arc<Control>,
    level: LevelSwitch,
    /// What listeners speak TLS with, where they do, and where the files of each are told.
    tls: Vec<(Arc<TlsServer>, FilesOf)>,
}

impl Reloader {
    /// `in_force` came from `file` and `overrides`.
    pub(crate) fn new(
        file: Option<&Path>,
        overrides: &Overrides,
        in_force: &Config,
        auth: Option<SocketAddr>,
        control: Arc<Control>,
        level: LevelSwitch,
    ) -> Self {
        Self {
            file: file.map(Path::to_owned),
            overrides: overrides.clone(),
            in_force: Mutex::new(in_force.clone()),
            auth,
            control,
            level,
            tls: Vec::new(),
        }
    }

    /// Has the files of `server` read again with each reload.
    pub(crate) fn with_tls(mut self, server: Option<Arc<TlsServer>>, files: FilesOf) -> Self {
        self.tls.extend(server.map(|server| (server, files)));
        self
    }

    /// Reads the file and puts in force what may change; all of that or, on an error, nothing.
    pub(crate) fn reload(&self) -> Result<ReloadReport, Failure> {
        let _told = Reloading::begin();
        let new = Config::load(self.file.as_deref(), &self.overrides)?;
        let mut in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = ReloadReport::default();
        for (key, change) in in_force.differences(&new) {
            match change {
                Change::Live => report.changed.push(key),
                Change::Restart => report.needs_restart.push(key),
            }
        }
        let mut merged = in_force.clone();
        merged.take_live_keys(&new);
        let sizes = Sizes {
            memory_bytes: merged.memory_bytes(),
            item_size_max: merged.item_size_bytes(),
        };
        let servers = self.auth.map(|auth| servers::of_listener(&merged, auth));
        let servers = servers.unwrap_or_default();
        let servers_of_tls = self.tls.iter();
        let certificates: Vec<_> = servers_of_tls
            .filter_map(|(server, files)| Some((server, files(&merged)?)))
            .collect();
        for (_, files) in &certificates {
            // What cannot be read is known before anything has changed.
            TlsServer::new(files)?;
        }
        self.control.configure(sizes, servers)?;
        let mut has_renewed = false;
        for (server, files) in certificates {
            has_renewed |= server.reload(&files)?;
        }
        let certificate = "tls.certificate".to_owned();
        if has_renewed && !report.changed.contains(&certificate) {
            report.changed.push(certificate);
        }
        self.level.set(merged.log_level);
        *in_force = merged;
        tracing::info!(
            changed = report.changed.join(", "),
            needs_restart = report.needs_restart.join(", "),
            "configuration read again"
        );
        Ok(report)
    }

    /// For a signal, whose sender gets no answer but the log.
    pub(crate) fn reload_and_log(&self) {
        if let Err(error) = self.reload() {
            tracing::error!(%error, "configuration not reloaded; what was in force stays in force");
        }
    }

    /// Over which time connections are let go when a successor serves.
    pub(crate) fn drain_time(&self) -> Duration {
        let in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        in_force.limits.drain_time.0
    }

    /// How long draining may take.
    pub(crate) fn drain_timeout(&self) -> Duration {
        let in_force = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        in_force.limits.drain_timeout.0
    }
}

#[cfg(test)]
#[path = "reload_test.rs"]
mod tests;
