//! Volumes as `up` serves them: listeners bound or taken over, and let go at the end.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use runtime::Clock;
use runtime::net::handover::NamedSocket;
use runtime::net::tls::TlsServer;
use runtime::volumes::{NbdListenError, NbdListener, NbdTls, Volumes};

use crate::config::Config;
use crate::control::{NbdPlaces, VolumePlane};
use crate::failure::Failure;
use crate::files::NBD_SOCKET;
use crate::inherited::{Inherited, NBD, NBD_UNIX};
use crate::plane::DataPlane;
use crate::tls;

/// Folder of the volumes within the data folder.
const VOLUMES_DIR: &str = "volumes";

/// Volumes, and the listeners at which nobody is let in yet.
pub(super) struct VolumeService {
    volumes: Arc<Volumes>,
    listeners: Vec<(&'static str, NbdListener)>,
    places: NbdPlaces,
    tls: Option<Arc<TlsServer>>,
}

impl VolumeService {
    /// Binds the listeners, or takes them over.
    pub(super) fn bind(
        config: &Config,
        clock: Clock,
        inherited: &mut Inherited,
        plane: &Arc<dyn DataPlane>,
    ) -> Result<Self, Failure> {
        let mut listeners = Vec::new();
        let mut places = NbdPlaces::default();
        let server = tls::nbd_files(config);
        let server = server.as_ref().map(TlsServer::new).transpose()?;
        let server = server.map(Arc::new);
        let tls = server.as_ref().map(|server| {
            let plane = Arc::clone(plane);
            NbdTls::new(Arc::clone(server), move || plane.directory())
        });
        if let Some(addr) = config.listen.nbd.value().map(|addr| addr.0) {
            let listener = match inherited.take_tcp(NBD, addr) {
                Some(socket) => NbdListener::adopt(socket, None, tls),
                None => NbdListener::tcp(addr, tls).map_err(not_listening)?,
            };
            places.tcp = listener.local_addr();
            places.is_tls = server.is_some();
            listeners.push((NBD, listener));
        }
        let path = config.listen.nbd_unix.clone();
        let path = path.unwrap_or_else(|| config.data_dir().join(NBD_SOCKET));
        let listener = match inherited.take_unix(NBD_UNIX, &path) {
            Some(socket) => NbdListener::adopt(socket, Some(&path), None),
            None => NbdListener::unix(&path).map_err(not_listening)?,
        };
        places.unix = Some(std::path::absolute(&path)?);
        listeners.push((NBD_UNIX, listener));
        let dir = config.data_dir().join(VOLUMES_DIR);
        let volumes = Volumes::with_read_cache(&dir, clock, config.volumes.read_cache.bytes())?;
        Ok(Self {
            volumes: Arc::new(volumes),
            listeners,
            places,
            tls: server,
        })
    }

    /// For control.
    pub(super) fn plane(&self) -> VolumePlane {
        VolumePlane {
            volumes: Arc::clone(&self.volumes),
            places: self.places.clone(),
        }
    }

    /// Where it is served over TCP.
    pub(super) fn tcp(&self) -> Option<SocketAddr> {
        self.places.tcp
    }

    /// What the listener over TCP speaks TLS with, where it does.
    pub(super) fn tls_server(&self) -> Option<Arc<TlsServer>> {
        self.tls.clone()
    }

    /// The listeners for a successor.
    pub(super) fn sockets(&self) -> io::Result<Vec<NamedSocket>> {
        let all = self.listeners.iter();
        all.map(|(name, listener)| {
            let socket = listener.as_fd().try_clone_to_owned()?;
            Ok(((*name).to_owned(), socket))
        })
        .collect()
    }

    /// Lets clients in.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        for (_, listener) in self.listeners.drain(..) {
            self.volumes.serve(listener)?;
        }
        Ok(())
    }

    /// Lets clients and volumes go, for a successor to take: it waits for them.
    pub(super) fn leave(&self, timeout: Duration) {
        self.volumes.leave_files();
        self.volumes.drain(timeout);
    }

    /// Answers what is under way and detaches all volumes, while others do the same.
    pub(super) fn drain(&self, timeout: Duration) -> Draining {
        let volumes = Arc::clone(&self.volumes);
        let draining = thread::Builder::new().name("volume-drain".to_owned());
        Draining(draining.spawn(move || volumes.drain(timeout)))
    }
}

/// The end of all volumes, under way.
pub(super) struct Draining(io::Result<JoinHandle<()>>);

impl Draining {
    /// Waits for it.
    pub(super) fn wait(self) {
        match self.0 {
            // A panic there was reported by its own thread.
            Ok(thread) => drop(thread.join()),
            Err(error) => tracing::warn!(%error, "volumes are left as if killed"),
        }
    }
}

fn not_listening(error: NbdListenError) -> Failure {
    Failure::new(match error {
        NbdListenError::OffLoopback(_) => error.to_string(),
        NbdListenError::Bind { .. } => format!(
            "{error}: choose another listen.nbd (--nbd; port 0 picks one, off serves none) or \
             listen.nbd_unix (--nbd-unix)"
        ),
    })
}
