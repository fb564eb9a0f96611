//! `cofferdam up`: gateway, cache and control in one process.

mod admin;
mod console;
mod ending;
mod fleet;
mod page;
mod plan;
mod protections;
mod ready;
mod signals;
mod takeover;
mod volume_node;
mod volumes;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::CredentialId;
use runtime::Clock;
use runtime::descriptors;
use runtime::state::State;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::api::{Api, Reload};
use crate::audit::Audit;
use crate::config::{Config, Overrides};
use crate::console::Console;
use crate::control::{CanaryLogin, Control, Sizes};
use crate::data::Data;
use crate::failure::Failure;
use crate::fleet_data::FleetData;
use crate::hooks::{Hooks, Messenger};
use crate::inherited::{Inherited, STATUS, TENANT_CONSOLE};
use crate::judging::Judging;
use crate::observe::history::Recorder;
use crate::observe::{Observatory, Observer};
use crate::plane::{DataPlane, RunningPlane};
use crate::reload::Reloader;
use crate::status::StatusPage;
use crate::tenant_console::Parts;
use crate::upgrade::Upgrader;
use crate::{fleet_tls, local_plane, logging, preflight, servers, tls};
use ending::{drain, let_go, wait};
use fleet::{FleetPart, TenantsThread};
use plan::{make_room_for_connections, plane_config, warn_of_too_much_memory};
use ready::{Pages, tell_ready};
use signals::SignalThread;
pub(crate) use takeover::TAKEOVER_VARIABLE;
use takeover::Takeover;
pub(crate) use volume_node::run as run_volume_node;
use volumes::VolumeService;

/// Where the data of a process that serves clients is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `cofferdam up`: in its own caches.
    Alone,
    /// `cofferdam gateway`: on nodes.
    Gateway,
}

impl Role {
    fn data(self, config: &Config, loops: u16) -> Result<Data, Failure> {
        match self {
            Self::Alone => Ok(Data::Here(Arc::default())),
            Self::Gateway => {
                let tls = fleet_tls::load(config)?;
                let (fleet, loops) = (&config.fleet, usize::from(loops));
                let data = match config.store.endpoints.is_empty() {
                    true => FleetData::of_config(fleet, tls, loops)?,
                    false => FleetData::of_store(fleet, tls, loops)?,
                };
                Ok(Data::Nodes(Arc::new(data)))
            }
        }
    }
}

/// Runs until SIGTERM or SIGINT, then drains; or until a successor serves, then lets its connections
/// go.
pub(crate) fn run(
    file: Option<&Path>,
    overrides: &Overrides,
    protections: bool,
    role: Role,
) -> Result<(), Failure> {
    // What the service manager has left is taken before anything is opened.
    let of_manager = Inherited::of_manager()?;
    let Some((takeover, sockets)) = Takeover::begin()? else {
        return serve(file, overrides, protections, role, of_manager, None);
    };
    let outcome = serve(file, overrides, protections, role, sockets, Some(&takeover));
    if let Err(failure) = &outcome {
        takeover.tell_failed(failure);
    }
    outcome
}

fn serve(
    file: Option<&Path>,
    overrides: &Overrides,
    protections: bool,
    role: Role,
    mut inherited: Inherited,
    takeover: Option<&Takeover>,
) -> Result<(), Failure> {
    let config = Config::load(file, overrides)?;
    let level = logging::start(config.log_format, config.log_level);
    preflight::check(&config)?;
    if !protections {
        protections::check_off(&config)?;
    }
    // From here on a signal waits to be handled, however far the start has come.
    let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let clock = Clock::new();
    let descriptors_max = descriptors::raise_limit()?;
    let plane_config = plane_config(&config, descriptors_max, protections);
    make_room_for_connections(&plane_config.limits, descriptors_max)?;
    warn_of_too_much_memory(&config);
    let ended = takeover.map(Takeover::await_state).transpose()?;
    let state = State::open(&config.data_dir())?;
    let data = role.data(&config, plane_config.threads)?;
    if let (Some(_), Data::Nodes(fleet)) = (takeover, &data) {
        fleet.expect_predecessor();
    }
    let _renewal = fleet::keep_certificate(&config, &data, clock)?;
    let (plane, mut running) =
        local_plane::start(&plane_config, clock, &mut inherited, data.clone())?;
    let fleet = fleet::join(&config, clock, &data, running.addresses().1)?;
    let mut volumes = VolumeService::bind(&config, clock, &mut inherited, &plane)?;
    let observatory = Observatory::new(Arc::clone(&plane), clock, &config.data_dir());
    let observatory = Arc::new(observatory);
    let page = page::listen(&config, &mut inherited)?;
    let tenants = console::listen(&config, &mut inherited)?;
    let tenants_tls = console::tls(&config)?;
    let admin_tls = tls::of_admin(&config)?;
    let hooks = Hooks::of(&config)?;
    let (control, canary) = restore(
        &config,
        state,
        Arc::clone(&plane),
        running.as_ref(),
        (page.is_some(), fleet.as_ref()),
        ended.unwrap_or_default(),
    )?;
    let keeper = Arc::clone(&control);
    let herald = Arc::clone(&observatory);
    control.tell_by(Box::new(move |cut| herald.hear_of_cut(cut)));
    let plane_of_volumes = volumes.plane();
    observatory.watch_volumes(&plane_of_volumes.volumes);
    control.serve_volumes(plane_of_volumes);
    control.restore_volumes()?;
    let (_, auth) = running.addresses();
    let page = page.map(|listener| {
        let canary = canary.as_ref();
        page::new(&config, listener, canary, auth, &plane, &observatory, clock).map(Arc::new)
    });
    let page = page.transpose()?;
    let reloader = Reloader::new(
        file,
        overrides,
        &config,
        Some(auth),
        Arc::clone(&control),
        level,
    );
    let reloader = reloader
        .with_tls(running.tls_server(), tls::files)
        .with_tls(volumes.tls_server(), tls::nbd_files)
        .with_tls(tenants_tls.clone(), tls::files_for_pages)
        .with_tls(
            page.as_ref().and_then(|page| page.tls_server()),
            tls::status_files,
        )
        .with_tls(admin_tls.clone(), tls::admin_files);
    let reloader = Arc::new(reloader);
    let audit = Arc::new(Audit::open(&config.data_dir()));
    let alerts = Arc::clone(&observatory.alerts);
    let parts = Parts {
        control: Arc::clone(&control),
        plane: Arc::clone(&plane),
        observatory: Arc::clone(&observatory),
        audit: Arc::clone(&audit),
        alerts: Arc::clone(&alerts),
        hooks: hooks.clone(),
        clock,
    };
    let tenants = tenants.map(|listener| console::new(&config, listener, tenants_tls, parts));
    let tenants = tenants.map(Arc::new);
    let has_tls = admin_tls.is_some();
    let listeners = admin::listen(&config, &mut inherited, admin_tls)?;
    let gate = listeners.gate()?;
    let mut sockets = running.sockets()?;
    sockets.extend(volumes.sockets()?);
    if let Some(page) = &page {
        sockets.push((STATUS.to_owned(), page.socket()?));
    }
    if let Some(tenants) = &tenants {
        sockets.push((TENANT_CONSOLE.to_owned(), tenants.socket()?));
    }
    let upgrader = Upgrader::new(
        Arc::clone(&control),
        Arc::clone(&gate),
        config.data_dir(),
        clock,
        sockets,
        page.clone(),
    );
    let upgrader = Arc::new(
        upgrader
            .with_tenant_console(tenants.clone())
            .with_member(fleet.as_ref().map(|part| Arc::clone(&part.membership)))
            .with_tickets(running.tls_server()),
    );
    let ready = Arc::new(AtomicBool::new(false));
    let api = Api {
        reload: Some(reload_of(&reloader)),
        upgrader: Some(Arc::clone(&upgrader)),
        ready: Arc::clone(&ready),
        observatory: Some(Arc::clone(&observatory)),
        membership: fleet.as_ref().map(|part| Arc::clone(&part.membership)),
        judging_room: crate::membership::gate_room(&config)?,
        ..Api::new(Arc::clone(&control), clock)
    };
    let admin = listeners.tcp_addr();
    let guard = admin::guard(&config)?;
    let terms = (guard.token.as_str(), has_tls);
    let console = Console::new(api.clone(), Arc::clone(&observatory), terms, audit)?;
    let router = api.router().merge(console.router());
    if takeover.is_some() {
        // What is changed here the predecessor, who lets clients in as well, would not know.
        gate.close();
    }
    let server = listeners.serve_behind(Arc::clone(&gate), router, guard)?;
    running.serve()?;
    volumes.serve()?;
    let member = fleet.as_ref().map(|part| &part.membership);
    let judging = Judging::start(&config, clock, &data, member)?;
    let following = fleet.as_ref();
    let following = following.map(|part| TenantsThread::start(part, control, clock));
    let following = following.transpose()?;
    let observer = Observer::start(
        Arc::clone(&observatory),
        &running.listeners(),
        &config.data_dir(),
    )?;
    let recorder = Recorder::start(Arc::clone(&observatory), &config.data_dir())?;
    let messenger = Messenger::start(
        hooks,
        alerts,
        observatory,
        Arc::clone(&plane),
        clock,
        &config.data_dir(),
    )?;
    if let Some(tenants) = &tenants {
        tenants.start()?;
    }
    let pages = Pages {
        status: page.as_ref().and_then(|page| serve_page(page, &config)),
        tenants: tenants.as_ref().and_then(|tenants| tenants.addr()),
    };
    ready.store(true, Ordering::Release);
    tell_ready(&config, running.as_ref(), admin, volumes.tcp(), &pages);
    if let Some(takeover) = takeover {
        takeover.tell_ends(&*plane);
        takeover.tell_ready();
        let fleet = match &data {
            Data::Here(_) => None,
            Data::Nodes(fleet) => Some(Arc::clone(fleet)),
        };
        takeover.follow(gate, fleet)?;
    }
    let signals = SignalThread::start(signals, Arc::clone(&reloader))?;
    let outcome = wait(&signals.stop, running.as_ref(), &upgrader, &keeper, clock);
    ready.store(false, Ordering::Release);
    upgrader.let_go_of_sockets();
    if upgrader.is_handed_over() {
        // First, so that whoever connects from here on comes to the successor.
        running.retire(reloader.drain_time());
        upgrader.tell_given_way();
    }
    // Of two processes that serve the newer one keeps the history, and tells.
    drop(recorder);
    drop(messenger);
    if upgrader.is_handed_over() {
        // The journal is the successor's now.
        observer.leave();
        volumes.leave(reloader.drain_timeout());
        // Of one member there is one judge.
        drop(judging);
        let deadline = clock.now() + reloader.drain_time();
        let_go(&*plane, &signals.stop, clock, || {
            upgrader.tell_known();
            clock.now() < deadline
        });
        running.drain(reloader.drain_timeout());
        tracing::info!("ended; the successor serves");
        drop(server);
    } else {
        let draining = volumes.drain(reloader.drain_timeout());
        drain(running.as_mut(), &reloader);
        keeper.save_ends();
        draining.wait();
        drop(server);
        observer.end();
        drop(judging);
    }
    drop(following);
    if let Some(tenants) = tenants {
        tenants.pause();
    }
    if let Some(page) = page {
        page.pause();
    }
    signals.end();
    outcome
}

/// Serves the status page, and says where. A past of it that cannot be read keeps nobody from being
/// served.
fn serve_page(page: &StatusPage, config: &Config) -> Option<SocketAddr> {
    match page.start(&config.data_dir()) {
        Ok(()) => page.addr(),
        Err(error) => {
            tracing::error!(%error, "no status page");
            None
        }
    }
}

/// Brings the tenants of the state to the data plane, and the status page's own.
fn restore(
    config: &Config,
    state: State,
    plane: Arc<dyn DataPlane>,
    running: &dyn RunningPlane,
    (with_canary, fleet): (bool, Option<&FleetPart>),
    ended: Vec<CredentialId>,
) -> Result<(Arc<Control>, Option<CanaryLogin>), Failure> {
    let sizes = Sizes {
        memory_bytes: config.memory_bytes(),
        item_size_max: config.item_size_bytes(),
    };
    let (_, auth) = running.addresses();
    let servers = servers::of_listener(config, auth);
    let control = Control::new(state, plane, sizes, servers);
    if let Some(fleet) = fleet {
        control.join(Arc::clone(&fleet.tenants));
    }
    let canary = with_canary.then(|| control.add_canary()).transpose()?;
    control.cut_off(ended);
    control.restore()?;
    control.save_ends();
    Ok((Arc::new(control), canary))
}

fn reload_of(reloader: &Arc<Reloader>) -> Arc<Reload> {
    let reloader = Arc::clone(reloader);
    Arc::new(move || reloader.reload())
}
