//! `cofferdam up`: gateway, cache and control in one process.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::ByteSize;
use runtime::Clock;
use runtime::descriptors;
use runtime::http::{Guard, Listeners, Server};
use runtime::state::State;
use sd_notify::NotifyState;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::api::{self, Api, Reload};
use crate::cli::output::shell_word;
use crate::config::{Auto, Config, Overrides, Span};
use crate::control::{Control, Sizes};
use crate::failure::Failure;
use crate::logging::LogFormat;
use crate::plane::{DataPlane, PlaneConfig, RunningPlane};
use crate::reload::Reloader;
use crate::{files, local_plane, logging, machine, servers};

const CHECK_PERIOD: Duration = Duration::from_secs(1);

/// Descriptors that listeners, state, admin API and logs may need beside the connections.
const DESCRIPTORS_FOR_OTHERS: u32 = 64;

/// Runs until SIGTERM or SIGINT, then drains.
pub(crate) fn run(file: Option<&Path>, overrides: &Overrides) -> Result<(), Failure> {
    let config = Config::load(file, overrides)?;
    let level = logging::start(config.log_format, config.log_level);
    // From here on a signal waits to be handled, however far the start has come.
    let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let clock = Clock::new();
    let descriptors_max = descriptors::raise_limit()?;
    let plane_config = plane_config(&config, descriptors_max);
    make_room_for_connections(plane_config.connections_max)?;
    warn_of_too_much_memory(&config);
    let state = State::open(&config.data_dir())?;
    let (plane, mut running) = local_plane::start(&plane_config, clock)
        .map_err(|failure| with_listener_s_key(&failure, &plane_config))?;
    let control = restore(&config, state, plane, running.as_ref())?;
    let (_, auth) = running.addresses();
    let reloader = Reloader::new(file, overrides, &config, auth, Arc::clone(&control), level);
    let reloader = Arc::new(reloader);
    let ready = Arc::new(AtomicBool::new(false));
    let api = Api {
        reload: Some(reload_of(&reloader)),
        ready: Arc::clone(&ready),
        ..Api::new(control, clock)
    };
    let (server, admin) = serve_admin(&config, api)?;
    running.serve()?;
    ready.store(true, Ordering::Release);
    tell_ready(&config, running.as_ref(), admin);
    let signals = SignalThread::start(signals, Arc::clone(&reloader))?;
    let outcome = wait(&signals.stop, running.as_ref());
    ready.store(false, Ordering::Release);
    drain(running.as_mut(), &reloader);
    drop(server);
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

/// Has the kernel make room for all connections at once, and says how many there can be.
fn make_room_for_connections(connections_max: u32) -> Result<(), Failure> {
    descriptors::grow_table(connections_max.saturating_add(DESCRIPTORS_FOR_OTHERS))?;
    tracing::info!(connections_max, "room for connections");
    Ok(())
}

/// As many connections as were asked for, or as the limit on open files leaves room for.
fn connections_that_fit(asked: u32, descriptors_max: Option<u64>) -> u32 {
    let limit = descriptors_max.map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX));
    let fit = limit.saturating_sub(DESCRIPTORS_FOR_OTHERS).max(1);
    if asked > fit {
        tracing::warn!(
            asked,
            connections_max = fit,
            descriptors_max = limit,
            "the limit on open files allows fewer connections: raise it (ulimit -Hn, or \
             LimitNOFILE= of the service), or lower --max-connections"
        );
    }
    asked.min(fit)
}

/// Memory that is not there is noticed only when it is used, and then by the kernel's killer.
fn warn_of_too_much_memory(config: &Config) {
    let memory_bytes = config.memory_bytes();
    if let Some(usable) = machine::usable_memory_bytes()
        && memory_bytes > usable
    {
        tracing::warn!(
            memory = %ByteSize(memory_bytes),
            usable = %ByteSize(usable),
            "--memory is more than this machine or control group has: lower it"
        );
    }
}

/// The failure of a listener with the key and flag of its address, and the remedy.
fn with_listener_s_key(failure: &Failure, config: &PlaneConfig) -> Failure {
    let text = failure.to_string();
    let listeners = [
        ("memcache", config.memcache),
        ("memcache_auth", Some(config.memcache_auth)),
    ];
    for (key, addr) in listeners {
        if addr.is_some_and(|addr| text.starts_with(&format!("cannot listen on {addr}: "))) {
            let flag = key.replace('_', "-");
            return Failure::new(format!(
                "{text}: choose another listen.{key} (--{flag}), port 0 picks one"
            ));
        }
    }
    let unix = config.unix.as_ref().map(|path| path.display().to_string());
    if unix.is_some_and(|path| text.starts_with(&format!("cannot listen on {path}: "))) {
        return Failure::new(format!("{text}: choose another listen.unix (--unix)"));
    }
    Failure::new(text)
}

fn plane_config(config: &Config, descriptors_max: Option<u64>) -> PlaneConfig {
    let asked = match config.limits.max_connections {
        Auto::Is(count) => count,
        Auto::Auto => machine::default_connections_max(),
    };
    let connections_max = connections_that_fit(asked, descriptors_max);
    let threads = match config.threads {
        Auto::Is(count) => count,
        Auto::Auto => machine::cores(),
    };
    PlaneConfig {
        memcache: config.listen.memcache.value().map(|addr| addr.0),
        memcache_auth: config.listen.memcache_auth.0,
        unix: config.listen.unix.clone(),
        unix_mode: config.listen.unix_mode.0,
        threads,
        connections_max,
        unauthenticated_max: match config.limits.max_unauthenticated {
            Auto::Is(count) => count,
            Auto::Auto => (connections_max / 2).max(1),
        },
        auth_timeout: config.limits.auth_timeout.0,
        stalled_reader_timeout: config.limits.stalled_reader_timeout.0,
        idle_timeout: config.limits.idle_timeout.value().map(|Span(time)| time),
    }
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
    let listeners = Listeners::bind(&dir.join(files::ADMIN_SOCKET), tcp).map_err(|e| {
        let port = tcp.map(|addr| format!(" or {addr}")).unwrap_or_default();
        let socket = dir.join(files::ADMIN_SOCKET);
        Failure::new(format!(
            "admin API cannot listen on {}{port}: {e}: choose another listen.admin (--admin), port 0 picks one",
            socket.display()
        ))
    })?;
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

fn reload_of(reloader: &Arc<Reloader>) -> Arc<Reload> {
    let reloader = Arc::clone(reloader);
    Arc::new(move || reloader.reload())
}

/// The ready line for programs on standard output, how to connect for people on standard error.
fn tell_ready(config: &Config, running: &dyn RunningPlane, admin: Option<SocketAddr>) {
    let (open, auth) = running.addresses();
    let shown = |addr: Option<SocketAddr>| addr.map_or("off".to_owned(), |addr| addr.to_string());
    let (open, admin) = (shown(open), shown(admin));
    match config.log_format {
        LogFormat::Text => explain(config, &open, auth, &admin),
        LogFormat::Json => {
            tracing::info!(memcache = open, memcache_auth = %auth, admin, "ready");
        }
    }
    let line = format!("ready memcache={open} memcache_auth={auth} admin={admin}\n");
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "nobody reads the ready line");
    }
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        tracing::warn!(%error, "the service manager was not told");
    }
}

/// Tells a person how to connect.
fn explain(config: &Config, open: &str, auth: SocketAddr, admin: &str) {
    let dir = config.data_dir();
    let flag = match config.data_dir {
        Some(_) => format!(" --data-dir {}", shell_word(&dir)),
        None => String::new(),
    };
    let way_in = match config.listen.admin.value() {
        Some(_) => format!("token in {}", dir.join(files::ADMIN_TOKEN).display()),
        None => format!("{} only", dir.join(files::ADMIN_SOCKET).display()),
    };
    eprintln!(
        "cofferdam {version} is ready\n\
         \x20 open tenant \"default\"  {open}  (no password, this machine only)\n\
         \x20 all other tenants      {auth}  (cofferdam tenant add NAME --memory 100MiB{flag})\n\
         \x20 admin API              {admin}  ({way_in})\n\
         \x20 live figures           cofferdam stat --watch{flag}",
        version = env!("CARGO_PKG_VERSION"),
    );
}

/// Reloads on SIGHUP, asks for a stop on the first SIGTERM or SIGINT, and ends the process on the
/// second: what is durable is on disk already.
struct SignalThread {
    /// Hears of the wish to stop.
    stop: mpsc::Receiver<()>,
    handle: Handle,
    thread: JoinHandle<()>,
}

impl SignalThread {
    fn start(mut signals: Signals, reloader: Arc<Reloader>) -> Result<Self, Failure> {
        let handle = signals.handle();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                let mut stopping = false;
                for signal in signals.forever() {
                    match signal {
                        SIGHUP => reloader.reload_and_log(),
                        _ if stopping => {
                            tracing::warn!("stopped at once: requests in flight were cut off");
                            process::exit(1);
                        }
                        _ => {
                            stopping = true;
                            // The main thread waits for exactly this.
                            let _ = stop.send(());
                        }
                    }
                }
            })?;
        Ok(Self {
            stop: stopped,
            handle,
            thread,
        })
    }

    /// Lets go of the state, which closes once nobody holds it.
    fn end(self) {
        self.handle.close();
        // A panic there was reported by its own thread.
        let _ = self.thread.join();
    }
}

fn drain(running: &mut dyn RunningPlane, reloader: &Reloader) {
    let timeout = reloader.drain_timeout();
    tracing::info!(?timeout, "draining; a second signal stops at once");
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    running.drain(timeout);
    tracing::info!("stopped");
}

#[cfg(test)]
#[path = "up_test.rs"]
mod tests;
