//! The server's sockets as the kernel sees them, by sock_diag: from outside, without asking it.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use crate::error::DrillError;

/// TCP states as bits of a question (linux/tcp_states.h).
pub(crate) const ESTABLISHED: u32 = 1 << 1;
/// The peer has said that it will send no more, and we have not closed yet.
pub(crate) const CLOSE_WAIT: u32 = 1 << 8;

/// Lengths of netlink's header and of sock_diag's question and answer (linux/inet_diag.h).
const HEADER_LEN: usize = 16;
const QUESTION_LEN: usize = 56;
const ANSWER_LEN: usize = 72;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const REQUEST_AND_DUMP: u16 = 0x301;
const AF_INET: u8 = 2;
const IPPROTO_TCP: u8 = 6;
/// Room for one part of an answer.
const PART_LEN: usize = 64 * 1024;

/// A way to ask the kernel for sockets.
#[derive(Debug)]
pub(crate) struct SockDiag {
    socket: OwnedFd,
    part: Vec<u8>,
}

impl SockDiag {
    /// Needs no rights.
    pub(crate) fn open() -> Result<Self, DrillError> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            Some(netlink::SOCK_DIAG),
        )
        .map_err(DrillError::errno("cannot ask the kernel for sockets"))?;
        Ok(Self {
            socket,
            part: vec![0; PART_LEN],
        })
    }

    /// The peers of all IPv4 sockets of local port `port` in one of these states.
    pub(crate) fn peers(
        &mut self,
        port: u16,
        states: u32,
    ) -> Result<Vec<SocketAddrV4>, DrillError> {
        let failed = || DrillError::errno("cannot ask the kernel for sockets");
        let question = question(port, states);
        send(&self.socket, &question, SendFlags::empty()).map_err(failed())?;
        let mut peers = Vec::new();
        loop {
            let (len, _) = recv(&self.socket, self.part.as_mut_slice(), RecvFlags::empty())
                .map_err(failed())?;
            if take_part(&self.part[..len.min(PART_LEN)], &mut peers) {
                return Ok(peers);
            }
        }
    }
}

/// A netlink message that asks for TCP sockets.
fn question(port: u16, states: u32) -> [u8; HEADER_LEN + QUESTION_LEN] {
    let mut bytes = [0; HEADER_LEN + QUESTION_LEN];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &((HEADER_LEN + QUESTION_LEN) as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &REQUEST_AND_DUMP.to_ne_bytes());
    put(HEADER_LEN, &[AF_INET, IPPROTO_TCP]);
    put(HEADER_LEN + 4, &states.to_ne_bytes());
    put(HEADER_LEN + 8, &port.to_be_bytes());
    bytes
}

/// Takes in the messages of one part of an answer; whether it was the last.
fn take_part(part: &[u8], peers: &mut Vec<SocketAddrV4>) -> bool {
    let mut rest = part;
    loop {
        let Some((len, kind)) = header(rest) else {
            // An empty part would come for ever.
            return part.is_empty();
        };
        match kind {
            NLMSG_DONE | NLMSG_ERROR => return true,
            SOCK_DIAG_BY_FAMILY => peers.extend(peer(rest.get(HEADER_LEN..len))),
            _ => {}
        }
        // Messages begin at multiples of four.
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
}

/// Length, header included, and kind of the first message.
fn header(bytes: &[u8]) -> Option<(usize, u16)> {
    let len = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    (HEADER_LEN..=bytes.len())
        .contains(&len)
        .then_some((len, kind))
}

/// The peer of the socket that a message describes.
fn peer(message: Option<&[u8]>) -> Option<SocketAddrV4> {
    let message = message.filter(|it| it.len() >= ANSWER_LEN)?;
    let port = u16::from_be_bytes(message.get(6..8)?.try_into().ok()?);
    let address: [u8; 4] = message.get(24..28)?.try_into().ok()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(address), port))
}

#[cfg(test)]
#[path = "sockets_test.rs"]
mod tests;
