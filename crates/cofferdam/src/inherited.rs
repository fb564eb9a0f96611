//! Listening sockets that this process did not open: from its predecessor, or from the service manager.

use std::env;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;

use runtime::net::handover::{NamedSocket, SOCKETS_MAX};
use runtime::net::inherited;

use crate::failure::Failure;

/// The Unix socket for clients whose file goes with its last listener.
pub(crate) const UNIX: &str = "unix";
/// The same where somebody else keeps the file.
pub(crate) const UNIX_OF_MANAGER: &str = "unix_of_manager";
/// The port of volumes.
pub(crate) const NBD: &str = "nbd";
/// The Unix socket of volumes.
pub(crate) const NBD_UNIX: &str = "nbd_unix";
/// The admin API's Unix socket.
pub(crate) const ADMIN_UNIX: &str = "admin_unix";
/// The admin API's port.
pub(crate) const ADMIN: &str = "admin";

/// The status page's port.
pub(crate) const STATUS: &str = "status";
/// The port of the tenants' console.
pub(crate) const TENANT_CONSOLE: &str = "tenant_console";

/// No socket, but the keys of the session tickets that clients hold.
pub(crate) const TICKETS: &str = "tickets";

/// What a unit may call its sockets: the keys of `[listen]`.
const NAMES_OF_MANAGER: [&str; 7] = [
    "memcache",
    "memcache_auth",
    "memcache_tls",
    UNIX,
    ADMIN,
    STATUS,
    TENANT_CONSOLE,
];

/// Sockets by name, until the listener that wants one takes it.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    sockets: Vec<NamedSocket>,
    /// Whether the manager has chosen where they listen, rather than the configuration.
    is_chosen_elsewhere: bool,
}

impl Inherited {
    /// What a predecessor has handed over.
    pub(crate) fn of_predecessor(sockets: Vec<NamedSocket>) -> Self {
        Self {
            sockets,
            is_chosen_elsewhere: false,
        }
    }

    /// What the service manager has left to this very process; to be asked once, at the start.
    pub(crate) fn of_manager() -> Result<Self, Failure> {
        let number = |name: &str| env::var(name).ok()?.parse::<u32>().ok();
        if number("LISTEN_PID") != Some(std::process::id()) {
            return Ok(Self::default());
        }
        let count = number("LISTEN_FDS").unwrap_or(0);
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let names = names_of_manager(&names, count).map_err(Failure::new)?;
        let sockets = inherited::take(u8::try_from(names.len()).unwrap_or(0))?;
        Ok(Self {
            sockets: names.into_iter().zip(sockets).collect(),
            is_chosen_elsewhere: true,
        })
    }

    /// The TCP socket of this name, if it listens where the configuration wants.
    pub(crate) fn take_tcp(&mut self, name: &str, wanted: SocketAddr) -> Option<OwnedFd> {
        let socket = self.take(name)?;
        let (place, _) = inherited::place_of(&socket);
        let fits = place.is_some_and(|place| {
            self.is_chosen_elsewhere
                || place == wanted
                || (place.ip() == wanted.ip() && wanted.port() == 0)
        });
        fits.then_some(socket)
    }

    /// The Unix socket of this name, if it listens where the configuration wants.
    pub(crate) fn take_unix(&mut self, name: &str, wanted: &Path) -> Option<OwnedFd> {
        let socket = self.take(name)?;
        let (_, place) = inherited::place_of(&socket);
        let fits = place.is_some_and(|place| {
            // A long path was bound by a short name for its folder.
            self.is_chosen_elsewhere || place.file_name() == wanted.file_name()
        });
        fits.then_some(socket)
    }

    /// The keys of a predecessor's session tickets.
    pub(crate) fn take_tickets(&mut self) -> Option<OwnedFd> {
        self.take(TICKETS)
    }

    /// Whether the file of the clients' Unix socket is somebody else's.
    pub(crate) fn keeps_unix_file(&self) -> bool {
        let is_of_manager = |(name, _): &NamedSocket| name == UNIX_OF_MANAGER;
        self.is_chosen_elsewhere || self.sockets.iter().any(is_of_manager)
    }

    fn take(&mut self, name: &str) -> Option<OwnedFd> {
        let at = self.sockets.iter().position(|(own, _)| own == name)?;
        Some(self.sockets.swap_remove(at).1)
    }
}

/// The names of `count` sockets, which must all be known: a socket that nobody serves would take
/// connections in and never answer.
fn names_of_manager(names: &str, count: u32) -> Result<Vec<String>, String> {
    let known = NAMES_OF_MANAGER.join(", ");
    let given: Vec<String> = names.split(':').map(str::to_owned).collect();
    if count as usize > SOCKETS_MAX {
        return Err(format!(
            "LISTEN_FDS is {count}: at most {SOCKETS_MAX} sockets are taken"
        ));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    if given.len() != count as usize {
        return Err(format!(
            "LISTEN_FDS is {count}, but LISTEN_FDNAMES names {}: set FileDescriptorName= in every \
             socket unit, to one of {known}",
            given.len()
        ));
    }
    for (index, name) in given.iter().enumerate() {
        if !NAMES_OF_MANAGER.contains(&name.as_str()) {
            return Err(format!(
                "LISTEN_FDNAMES has {name:?}: set FileDescriptorName= to one of {known}"
            ));
        }
        if given[..index].contains(name) {
            return Err(format!(
                "LISTEN_FDNAMES has {name:?} twice: one socket for each listener"
            ));
        }
    }
    Ok(given)
}

#[cfg(test)]
#[path = "inherited_test.rs"]
mod tests;
