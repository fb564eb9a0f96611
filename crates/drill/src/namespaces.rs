//! Machines of a drill's own, each in a network namespace, plugged into a switch of their own.
//!
//! A [`Switch`] is a namespace with a bridge, a [`Host`] one with a cable (veth) to it. Hosts reach one
//! another over the kernel's own queues, and a cable can be made narrow (tbf) or be pulled. Nobody else's
//! interfaces, routes or rules are touched: all of it lies in namespaces that are held by descriptors of
//! the process that made them, so that the kernel takes everything away with that process, however it
//! ends. It needs root, `unshare` (util-linux), and `ip` and `tc` (iproute2).
//!
//! Addresses are 127.77.0.1, of the switch, and so on. They are of loopback, so that programs which speak
//! unencrypted on one machine alone do so here, too, and within these namespaces only they lie on cables.

mod cable;
mod space;

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

pub use cable::Line;
use cable::{Cable, UPLINK};
pub use space::Space;
pub(crate) use space::enter;

use crate::error::DrillError;

/// The bridge, within the switch's namespace.
const BRIDGE: &str = "switch";
const PATIENCE: Duration = Duration::from_secs(5);

/// What hosts are plugged into.
#[derive(Debug)]
pub struct Switch {
    space: Space,
    hosts: u8,
}

/// One machine with one cable.
#[derive(Debug)]
pub struct Host {
    space: Space,
    address: Ipv4Addr,
    cable: Cable,
}

/// What a machine allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Why cables cannot be made narrow, if so.
    pub not_narrow: Option<String>,
}

/// Makes all that hosts need, has a byte carried and undoes it; an error says why it cannot be made.
pub fn check() -> Result<Allowed, DrillError> {
    let mut switch = Switch::start()?;
    let host = switch.plug_in()?;
    carry(&switch, &host)?;
    let narrowed = host.set(&Line {
        bits_per_s: Some(1_000_000),
        is_pulled: false,
    });
    Ok(Allowed {
        not_narrow: narrowed.err().map(|error| error.to_string()),
    })
}

fn carry(switch: &Switch, host: &Host) -> Result<(), DrillError> {
    let failed = || DrillError::system("a cable between two namespaces carries nothing");
    let listener = switch
        .space
        .within(|| TcpListener::bind((switch.address(), 0)).map_err(failed()))?;
    let address = listener.local_addr().map_err(failed())?;
    let mut stream = host.connect(address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed())?;
    let (accepted, _) = listener.accept().map_err(failed())?;
    // Its end is what arrives.
    drop(accepted);
    stream.read(&mut [0; 1]).map(drop).map_err(failed())
}

impl Switch {
    /// One without hosts.
    pub fn start() -> Result<Self, DrillError> {
        let space = Space::new()?;
        let switch = Self { space, hosts: 0 };
        let address = switch.address();
        switch.space.prepare()?;
        switch.space.ip(&format!(
            "link add {BRIDGE} type bridge\naddress add {address}/24 dev {BRIDGE}\nlink set {BRIDGE} up\n"
        ))?;
        Ok(switch)
    }

    /// One more host; there is room for 250.
    pub fn plug_in(&mut self) -> Result<Host, DrillError> {
        let number = self.hosts + 1;
        if number > 250 {
            return Err(DrillError::CannotRun("a switch has 250 ports".into()));
        }
        self.hosts = number;
        let (space, address) = (Space::new()?, address(number));
        let port = format!("port{number}");
        let far = space.path();
        self.space.ip(&format!(
            "link add {port} type veth peer name {UPLINK} netns {}\nlink set {port} master {BRIDGE} up\n",
            far.display()
        ))?;
        space.prepare()?;
        space.ip(&format!(
            "address add {address}/24 dev {UPLINK}\nlink set {UPLINK} up\n"
        ))?;
        let cable = Cable::new(space.clone(), self.space.clone(), port);
        Ok(Host {
            space,
            address,
            cable,
        })
    }

    /// Where what is not plugged in may stand: whoever asks the hosts, and what all of them ask.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Its own.
    pub fn address(&self) -> Ipv4Addr {
        address(0)
    }
}

impl Host {
    /// Where its programs stand.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Its own.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// From now on its cable is like this.
    pub fn set(&self, line: &Line) -> Result<(), DrillError> {
        self.cable.set(line)
    }

    /// A connection from here.
    pub fn connect(&self, to: SocketAddr, patience: Duration) -> Result<TcpStream, DrillError> {
        self.space.within(|| {
            let stream = TcpStream::connect_timeout(&to, patience);
            stream.map_err(DrillError::system(format!("cannot connect to {to}")))
        })
    }
}

fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 77, 0, number + 1)
}

#[cfg(test)]
#[path = "namespaces_test.rs"]
mod tests;
