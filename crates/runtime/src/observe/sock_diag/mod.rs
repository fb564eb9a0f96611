//! Asks the kernel which TCP sockets there are (sock_diag(7)); needs no privilege.

mod codec;
mod listeners;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

pub use codec::{TcpSocket, TcpState};
pub use listeners::{CloseWaits, Listeners, Overdue, Queue, StateCounts};

use codec::{Family, Progress};

/// What the kernel fills at most in one answer: about 90 sockets, which take it some 0.2 ms. It is not
/// interrupted meanwhile, so a larger one would hold up whoever shares the processor for longer.
const BUFFER_LEN: usize = 8 * 1024;
/// It answers at once, or there is something wrong with it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A question to the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Sockets whose own address is one of these; only the port counts.
    pub addresses: &'a [SocketAddr],
    /// And that are in one of these states.
    pub states: &'a [TcpState],
}

/// A connection to the kernel's socket diagnostics.
#[derive(Debug)]
pub struct SockDiag {
    socket: OwnedFd,
    buffer: Box<[u8]>,
    /// Whether the kernel takes filters by port; before Linux 4.16 it does not.
    filters: bool,
}

impl SockDiag {
    /// Fails where the kernel has no socket diagnostics or a sandbox forbids them.
    pub fn open() -> io::Result<Self> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            Some(netlink::SOCK_DIAG),
        )?;
        set_socket_timeout(&socket, Timeout::Recv, Some(TIMEOUT))?;
        Ok(Self {
            socket,
            buffer: vec![0; BUFFER_LEN].into(),
            filters: true,
        })
    }

    /// Hands each socket that `query` asks for to `each`.
    ///
    /// The kernel works without interruption until a buffer is full; `pause` is called between two,
    /// so that a loop that shares the processor gets its turn.
    pub fn dump(
        &mut self,
        query: Query<'_>,
        each: &mut dyn FnMut(TcpSocket),
        pause: &mut dyn FnMut(),
    ) -> io::Result<()> {
        let mut ports: Vec<u16> = query.addresses.iter().map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        let mut ours = |socket: TcpSocket| {
            if ports.contains(&socket.local.port()) {
                each(socket);
            }
        };
        for family in families(query.addresses) {
            let filter: &[u16] = if self.filters { &ports } else { &[] };
            let request = codec::request(family, query.states, filter);
            match self.ask(&request, &mut ours, pause) {
                Err(Errno::INVAL) if self.filters => {
                    self.filters = false;
                    let request = codec::request(family, query.states, &[]);
                    self.ask(&request, &mut ours, pause)?;
                }
                done => done?,
            }
        }
        Ok(())
    }

    fn ask(
        &mut self,
        request: &[u8],
        each: &mut dyn FnMut(TcpSocket),
        pause: &mut dyn FnMut(),
    ) -> Result<(), Errno> {
        // Of an earlier dump that broke off there may be a rest.
        while recv(&self.socket, &mut *self.buffer, RecvFlags::DONTWAIT).is_ok() {}
        send(&self.socket, request, SendFlags::empty())?;
        loop {
            let (len, _) = recv(&self.socket, &mut *self.buffer, RecvFlags::empty())?;
            let received = self.buffer.get(..len).unwrap_or_default();
            if codec::parse(received, each)? == Progress::Done {
                return Ok(());
            }
            pause();
        }
    }
}

/// The families in which sockets of these addresses are listed: one for IPv6 that serves IPv4 too
/// has its connections under IPv6.
fn families(addresses: &[SocketAddr]) -> impl Iterator<Item = Family> {
    let v4 = addresses.iter().any(SocketAddr::is_ipv4);
    let v6 = addresses.iter().any(SocketAddr::is_ipv6);
    [(v4, Family::V4), (v6, Family::V6)]
        .into_iter()
        .filter_map(|(wanted, family)| wanted.then_some(family))
}

#[cfg(test)]
#[path = "sock_diag_test.rs"]
mod tests;
