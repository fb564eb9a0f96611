//! The messages of NETLINK_SOCK_DIAG that ask for TCP sockets and tell of them.
//!
//! Layouts are those of `linux/netlink.h`, `linux/sock_diag.h` and `linux/inet_diag.h`; the filter's
//! instructions are described in the last of them. A codec of our own, since three structures and
//! one attribute are all that is needed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const REQUEST_DUMP: u16 = 0x001 | 0x300;
const HEADER_LEN: usize = 16;
/// `struct inet_diag_msg`.
const MESSAGE_LEN: usize = 72;
const IPPROTO_TCP: u8 = 6;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const INET_DIAG_REQ_BYTECODE: u16 = 1;
const INET_DIAG_SKMEMINFO: u16 = 7;
/// Place of the drop counter in the words of that attribute (`SK_MEMINFO_DROPS`).
const MEMINFO_DROPS: usize = 8;
const BC_JUMP: u8 = 1;
const BC_SOURCE_PORT_EQ: u8 = 11;

/// Which sockets of which address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

/// A state of TCP, as `tcp_states.h` numbers them from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TcpState {
    /// Both sides may send.
    Established = 1,
    /// We began, no answer yet.
    SynSent = 2,
    /// A peer began, and its third packet is awaited.
    SynReceived = 3,
    /// We have closed, the peer has not confirmed.
    FinWait1 = 4,
    /// We have closed, the peer may still send.
    FinWait2 = 5,
    /// It is over; stray packets are waited out.
    TimeWait = 6,
    /// Not connected.
    Close = 7,
    /// The peer has closed, we have not.
    CloseWait = 8,
    /// Both have closed, our last packet is not confirmed.
    LastAck = 9,
    /// Waits for connections.
    Listen = 10,
    /// Both have closed at once.
    Closing = 11,
}

impl TcpState {
    /// All states, by number.
    pub const ALL: [Self; 11] = [
        Self::Established,
        Self::SynSent,
        Self::SynReceived,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::Close,
        Self::CloseWait,
        Self::LastAck,
        Self::Listen,
        Self::Closing,
    ];

    /// Its name in lower case, words joined by underscores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::SynSent => "syn_sent",
            Self::SynReceived => "syn_received",
            Self::FinWait1 => "fin_wait1",
            Self::FinWait2 => "fin_wait2",
            Self::TimeWait => "time_wait",
            Self::Close => "close",
            Self::CloseWait => "close_wait",
            Self::LastAck => "last_ack",
            Self::Listen => "listen",
            Self::Closing => "closing",
        }
    }

    /// Its place in [`TcpState::ALL`].
    pub const fn index(self) -> usize {
        self as usize - 1
    }

    fn from_number(number: u8) -> Option<Self> {
        // Attempts that wait in a queue of their own are told as a twelfth state.
        if number == 12 {
            return Some(Self::SynReceived);
        }
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    const fn bit(self) -> u32 {
        match self {
            Self::SynReceived => (1 << 3) | (1 << 12),
            other => 1 << other as u32,
        }
    }
}

/// One TCP socket as the kernel tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSocket {
    /// Where it stands.
    pub state: TcpState,
    /// Our end; an IPv4 address even where the socket speaks IPv6.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
    /// The socket's own number, never given to another.
    pub cookie: u64,
    /// Bytes not read yet; of a listener, connections not accepted yet.
    pub receive_queue: u32,
    /// Bytes not confirmed yet; of a listener, how many it holds for us at most.
    pub send_queue: u32,
    /// What was dropped at it; told of listeners only.
    pub drops: Option<u32>,
}

/// A dump of the sockets in these states whose own port is one of `ports`; of all if there is none.
pub(super) fn request(family: Family, states: &[TcpState], ports: &[u16]) -> Vec<u8> {
    let states = states.iter().fold(0, |bits, state| bits | state.bit());
    let wants_drops = states & TcpState::Listen.bit() != 0;
    let mut message = Vec::with_capacity(HEADER_LEN + 64);
    message.extend_from_slice(&[0; 4]);
    message.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend_from_slice(&REQUEST_DUMP.to_ne_bytes());
    message.extend_from_slice(&[0; 8]);
    let family = match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    };
    let extensions = u8::from(wants_drops) << (INET_DIAG_SKMEMINFO - 1);
    message.extend_from_slice(&[family, IPPROTO_TCP, extensions, 0]);
    message.extend_from_slice(&states.to_ne_bytes());
    // The identity of a single socket, which a dump has no use for.
    message.extend_from_slice(&[0; 48]);
    let filter = port_filter(ports);
    if !filter.is_empty() {
        let len = (filter.len() + 4) as u16;
        message.extend_from_slice(&len.to_ne_bytes());
        message.extend_from_slice(&INET_DIAG_REQ_BYTECODE.to_ne_bytes());
        message.extend_from_slice(&filter);
    }
    let len = (message.len() as u32).to_ne_bytes();
    message[..4].copy_from_slice(&len);
    message
}

/// "The port is this, or this, or …": for each a comparison (8 bytes) that on success falls through
/// to a jump (4 bytes) to the end, which accepts; the last one's failure leads beyond the end, which
/// rejects. Offsets are 16 bits, so that beyond some thousand ports there is no filter.
fn port_filter(ports: &[u16]) -> Vec<u8> {
    let mut filter = Vec::new();
    let Ok(len) = u16::try_from((ports.len() * 12).saturating_sub(4)) else {
        return filter;
    };
    for (index, port) in ports.iter().enumerate() {
        let at = (index * 12) as u16;
        instruction(&mut filter, BC_SOURCE_PORT_EQ, 8, 12);
        instruction(&mut filter, 0, 0, *port);
        if index + 1 < ports.len() {
            instruction(&mut filter, BC_JUMP, 4, len - at - 8);
        }
    }
    filter
}

fn instruction(filter: &mut Vec<u8>, code: u8, yes: u8, no: u16) {
    filter.extend_from_slice(&[code, yes]);
    filter.extend_from_slice(&no.to_ne_bytes());
}

/// Whether more of a dump is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

/// Hands the sockets of one received buffer to `each`; messages that are none are passed over.
pub(super) fn parse(mut buffer: &[u8], each: &mut dyn FnMut(TcpSocket)) -> Result<Progress, Errno> {
    while let Some(len) = u32_at(buffer, 0) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let (Some(message), Some(kind)) = (buffer.get(HEADER_LEN..len), u16_at(buffer, 4)) else {
            return Ok(Progress::More);
        };
        match kind {
            // A dump that broke off says so in its last message.
            NLMSG_DONE if u32_at(message, 0).is_some_and(|code| (code as i32) < 0) => {
                return Err(error_of(message));
            }
            NLMSG_DONE => return Ok(Progress::Done),
            NLMSG_ERROR => return Err(error_of(message)),
            SOCK_DIAG_BY_FAMILY => {
                if let Some(socket) = socket(message) {
                    each(socket);
                }
            }
            _ => {}
        }
        buffer = buffer.get(aligned(len)..).unwrap_or_default();
    }
    Ok(Progress::More)
}

fn error_of(message: &[u8]) -> Errno {
    let code = u32_at(message, 0).unwrap_or(0) as i32;
    Errno::from_raw_os_error(code.checked_neg().filter(|code| *code > 0).unwrap_or(71))
}

fn socket(message: &[u8]) -> Option<TcpSocket> {
    let [family, state] = *message.first_chunk::<2>()?;
    let address = |at: usize, port: u16| {
        let bytes: [u8; 16] = *message.get(at..)?.first_chunk()?;
        let ip = match family {
            AF_INET => IpAddr::V4(Ipv4Addr::from(*bytes.first_chunk::<4>()?)),
            AF_INET6 => IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical(),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    };
    let port = |at: usize| Some(u16::from_be_bytes(*message.get(at..)?.first_chunk()?));
    let cookie = u64::from(u32_at(message, 44)?) | (u64::from(u32_at(message, 48)?) << 32);
    Some(TcpSocket {
        state: TcpState::from_number(state)?,
        local: address(8, port(4)?)?,
        remote: address(24, port(6)?)?,
        cookie,
        receive_queue: u32_at(message, 56)?,
        send_queue: u32_at(message, 60)?,
        drops: drops(message.get(MESSAGE_LEN..)?),
    })
}

/// The drop counter among the attributes.
fn drops(mut attributes: &[u8]) -> Option<u32> {
    loop {
        let len = usize::from(u16_at(attributes, 0)?);
        let value = attributes.get(4..len)?;
        if u16_at(attributes, 2)? == INET_DIAG_SKMEMINFO {
            return u32_at(value, MEMINFO_DROPS * 4);
        }
        attributes = attributes.get(aligned(len)..)?;
    }
}

/// Messages and attributes begin at multiples of four.
fn aligned(len: usize) -> usize {
    len.saturating_add(3) & !3
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
#[path = "codec_test.rs"]
mod tests;
