//! `cofferdam up`: gateway, cache and control in one process.

mod plan;
mod protections;
mod ready;
mod signals;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use runtime::Clock;
use runtime::descriptors;
use runtime::http::{BindError, Guard, Listeners, Server};
use runtime::state::State;
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::api::{self, Api, Reload};
use crate::config::{Config, Overrides};
use crate::control::{Control, Sizes};
use crate::failure::Failure;
use crate::observe::{Observatory, Observer};
use crate::plane::{DataPlane, RunningPlane};
use crate::reload::Reloader;
use crate::{files, local_plane, logging, servers};
use plan::{make_room_for_connections, plane_config, warn_of_too_much_memory};
use ready::tell_ready;
use signals::SignalThread;

const CHECK_PERIOD: Duration = Duration::from_secs(1);

/// Runs until SIGTERM or SIGINT, then drains.
pub(crate) fn run(
    file: Option<&Path>,
    overrides: &Overrides,
    protections: bool,
) -> Result<(), Failure> {
    let config = Config::load(file, overrides)?;
    let level = logging::start(config.log_format, config.log_level);
    if !protections {
        protections::check_off(&config)?;
    }
    // From here on a signal waits to be handled, however far the start has come.
    let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let clock = Clock::new();
    let descriptors_max = descriptors::raise_limit()?;
    let plane_config = plane_config(&config, descriptors_max, protections);
    make_room_for_connections(plane_config.limits.connections_max)?;
    warn_of_too_much_memory(&config);
    let state = State::open(&config.data_dir())?;
    let (plane, mut running) = local_plane::start(&plane_config, clock)?;
    let observatory = Observatory::new(Arc::clone(&plane), clock, &config.data_dir());
    let observatory = Arc::new(observatory);
    let control = restore(&config, state, plane, running.as_ref())?;
    let (_, auth) = running.addresses();
    let reloader = Reloader::new(file, overrides, &config, auth, Arc::clone(&control), level);
    let reloader = Arc::new(reloader.with_tls(running.tls_server()));
    let ready = Arc::new(AtomicBool::new(false));
    let api = Api {
        reload: Some(reload_of(&reloader)),
        ready: Arc::clone(&ready),
        observatory: Some(Arc::clone(&observatory)),
        ..Api::new(control, clock)
    };
    let (server, admin) = serve_admin(&config, api)?;
    running.serve()?;
    let observer = Observer::start(observatory, &running.listeners(), &config.data_dir())?;
    ready.store(true, Ordering::Release);
    tell_ready(&config, running.as_ref(), admin);
    let signals = SignalThread::start(signals, Arc::clone(&reloader))?;
    let outcome = wait(&signals.stop, running.as_ref());
    ready.store(false, Ordering::Release);
    drain(running.as_mut(), &reloader);
    drop(server);
    observer.end();
    signals.end();
    outcome
}

/// Until a stop is asked for, or until nobody serves any more.
fn wait(stop: &mpsc::Receiver<()>, running: &dyn RunningPlane) -> Result<(), Failure> {
    while stop.recv_timeout(CHECK_PERIOD) == Err(RecvTimeoutError::Timeout) {
        if running.has_failed() {
            return Err(Failure::new(
                "the event loops have ended: look at the log above, and start again",
            ));
        }
    }
    Ok(())
}

/// Brings the tenants of the state to the data plane.
fn restore(
    config: &Config,
    state: State,
    plane: Arc<dyn DataPlane>,
    running: &dyn RunningPlane,
) -> Result<Arc<Control>, Failure> {
    let sizes = Sizes {
        memory_bytes: config.memory_bytes(),
        item_size_max: config.item_size_bytes(),
    };
    let (_, auth) = running.addresses();
    let servers = servers::of_listener(config, auth);
    let control = Control::new(state, plane, sizes, servers);
    control.restore()?;
    Ok(Arc::new(control))
}

fn serve_admin(config: &Config, api: Api) -> Result<(Server, Option<SocketAddr>), Failure> {
    let dir = config.data_dir();
    let tcp = config.listen.admin.value().map(|addr| addr.0);
    let guard = Guard {
        token: files::token(&dir.join(files::ADMIN_TOKEN))?,
        hosts: config.admin.hosts.clone(),
        open_paths: api::OPEN_PATHS,
    };
    let listeners = Listeners::bind(&dir.join(files::ADMIN_SOCKET), tcp).map_err(admin_failure)?;
    let addr = listeners.tcp_addr();
    if let Some(addr) = addr.filter(|addr| !addr.ip().is_loopback()) {
        tracing::warn!(
            %addr,
            "the admin API can be reached from other machines and its token travels in the clear: \
             keep it within a private network"
        );
    }
    Ok((listeners.serve(api.router(), guard)?, addr))
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

fn reload_of(reloader: &Arc<Reloader>) -> Arc<Reload> {
    let reloader = Arc::clone(reloader);
    Arc::new(move || reloader.reload())
}

fn drain(running: &mut dyn RunningPlane, reloader: &Reloader) {
    let timeout = reloader.drain_timeout();
    tracing::info!(?timeout, "draining; a second signal stops at once");
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    running.drain(timeout);
    tracing::info!("stopped");
}
