//! What stands between a fleet's machines: cables of the kernel's, ways of the drill's own, or both.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use serde::{Serialize, Serializer};

use super::scenario::Fault;
use crate::child::{Nursery, Priority};
use crate::error::DrillError;
use crate::machine;
use crate::namespaces::{self, Host, Line, Space, Switch};
use crate::proxy::{Faults, Link};

/// Of what a run's networks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Every machine is a network namespace with a cable.
    Namespaces,
    /// All is on loopback, and nodes are reached by ways of the drill's own.
    Proxy,
}

/// What is between a fleet's machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stack {
    /// Ways of the drill's own, on loopback.
    #[default]
    Proxy,
    /// Cables.
    Namespaces,
    /// Cables, and behind each node's a way that does what no queue of the kernel's does here.
    NamespacesAndProxy,
}

/// What a run uses, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) network: Network,
    /// Whether the kernel can make cables narrow.
    pub(crate) can_narrow: bool,
    /// Why it is less than was possible, for people.
    pub(crate) note: Option<String>,
}

/// By what was asked for, which is nothing or must be possible, and by what the machine allows.
pub(crate) fn choose(asked: Option<Network>) -> Result<Choice, DrillError> {
    if asked == Some(Network::Proxy) {
        return Ok(Choice::proxy(None));
    }
    match namespaces::check() {
        Ok(allowed) => Ok(Choice {
            network: Network::Namespaces,
            can_narrow: allowed.not_narrow.is_none(),
            note: allowed.not_narrow,
        }),
        Err(error) if asked.is_none() => Ok(Choice::proxy(Some(error.to_string()))),
        Err(error) => Err(DrillError::CannotRun(format!(
            "{error}: run it as root with iproute2, or with --network proxy"
        ))),
    }
}

impl Choice {
    pub(crate) fn proxy(note: Option<String>) -> Self {
        Self {
            network: Network::Proxy,
            can_narrow: false,
            note,
        }
    }

    /// In one line.
    pub(crate) fn words(&self) -> String {
        let note = self.note.as_ref();
        let note = note.map_or(String::new(), |note| format!(" ({note})"));
        match self.network {
            Network::Namespaces => format!("each machine has a network namespace{note}"),
            Network::Proxy => format!("all machines are on loopback{note}"),
        }
    }

    /// What a fleet needs for a fault; one that stands there already will do where the fault is none of
    /// the network's.
    pub(crate) fn stack(&self, fault: &Fault, standing: Option<Stack>) -> Stack {
        if self.network == Network::Proxy {
            return Stack::Proxy;
        }
        match fault.of_ways() {
            Some(faults) if self.needs_proxy(faults) => Stack::NamespacesAndProxy,
            Some(_) => Stack::Namespaces,
            None => standing.unwrap_or(Stack::Namespaces),
        }
    }

    /// Kernels have queues that delay, but none that delays some replies and not others.
    fn needs_proxy(&self, faults: &Faults) -> bool {
        let is_narrow_only = Faults {
            bits_per_s: faults.bits_per_s.filter(|_| self.can_narrow),
            is_stalled: faults.is_stalled,
            ..Faults::default()
        };
        *faults != is_narrow_only
    }
}

impl Stack {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Namespaces => "namespaces",
            Self::NamespacesAndProxy => "namespaces+proxy",
        }
    }
}

impl Serialize for Stack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// One fleet's network.
pub(crate) struct Site {
    pub(crate) stack: Stack,
    switch: Option<Switch>,
    /// Machines whose ways stay as they are: a network that nobody holds would be gone before the first
    /// program is there.
    others: Vec<Host>,
    can_narrow: bool,
    seed: u64,
}

/// Where one process stands.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) address: Ipv4Addr,
    space: Option<Space>,
}

/// The way to a node.
pub(crate) struct Way {
    /// Where the node itself stands, and where it listens there.
    pub(crate) place: Place,
    pub(crate) listen: SocketAddr,
    /// Where others find it.
    pub(crate) advertise: SocketAddr,
    host: Option<Host>,
    link: Option<Link>,
    can_narrow: bool,
}

impl Site {
    pub(crate) fn new(stack: Stack, can_narrow: bool, seed: u64) -> Result<Self, DrillError> {
        let switch = match stack {
            Stack::Proxy => None,
            Stack::Namespaces | Stack::NamespacesAndProxy => Some(Switch::start()?),
        };
        Ok(Self {
            stack,
            switch,
            others: Vec::new(),
            can_narrow,
            seed,
        })
    }

    /// Where clients stand, and the store.
    pub(crate) fn middle(&self) -> Place {
        let switch = self.switch.as_ref();
        Place {
            address: switch.map_or(Ipv4Addr::LOCALHOST, Switch::address),
            space: switch.map(|it| it.space().clone()),
        }
    }

    /// For one more machine whose way stays as it is.
    pub(crate) fn place(&mut self) -> Result<Place, DrillError> {
        let Some(switch) = &mut self.switch else {
            return Ok(self.middle());
        };
        let host = switch.plug_in()?;
        let place = Place::of(&host);
        self.others.push(host);
        Ok(place)
    }

    /// For one more machine, and the way to it.
    pub(crate) fn way(&mut self, number: usize) -> Result<Way, DrillError> {
        let host = self.switch.as_mut().map(Switch::plug_in).transpose()?;
        let place = host.as_ref().map_or_else(|| self.middle(), Place::of);
        let address = place.address;
        let port = place.within(machine::free_port)?;
        let (listen, link) = match self.stack {
            Stack::Namespaces => (SocketAddr::from((address, port)), None),
            Stack::Proxy | Stack::NamespacesAndProxy => {
                let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                let seed = self.seed.wrapping_add(number as u64);
                let link = place.within(|| Link::start_on(address, listen, seed))?;
                (listen, Some(link))
            }
        };
        Ok(Way {
            place,
            listen,
            advertise: link.as_ref().map_or(listen, Link::address),
            host,
            link,
            can_narrow: self.can_narrow,
        })
    }
}

impl Place {
    fn of(host: &Host) -> Self {
        Self {
            address: host.address(),
            space: Some(host.space().clone()),
        }
    }

    /// What runs a program there.
    pub(crate) fn command(&self, nursery: &Nursery, core: usize, program: &Path) -> Command {
        nursery.command_in(self.space.as_ref(), core, Priority::Ordinary, program)
    }

    /// Does something there: sockets and threads that it makes stay there.
    pub(crate) fn within<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, DrillError> + Send,
    ) -> Result<T, DrillError> {
        match &self.space {
            Some(space) => space.within(work),
            None => work(),
        }
    }
}

impl Way {
    /// From now on this is bad about it, and nothing else: the cable does what cables can.
    pub(crate) fn set(&self, faults: &Faults) -> Result<(), DrillError> {
        let mut rest = faults.clone();
        if let Some(host) = &self.host {
            host.set(&Line {
                bits_per_s: rest.bits_per_s.filter(|_| self.can_narrow),
                is_pulled: rest.is_stalled,
            })?;
            rest.is_stalled = false;
            rest.bits_per_s = rest.bits_per_s.filter(|_| !self.can_narrow);
        }
        if let Some(link) = &self.link {
            link.set(rest);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "network_test.rs"]
mod tests;
