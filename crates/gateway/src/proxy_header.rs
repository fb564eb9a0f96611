//! The header with which a balancer names the client that it connects for: PROXY protocol, version 2.
//!
//! <https://www.haproxy.org/download/3.1/doc/proxy-protocol.txt>, section 2.2. Version 1, a line of
//! text, is refused: it is costlier to read, and every balancer in use speaks both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use crate::Peer;

/// What every header begins with; no request of any protocol served here does.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The part of fixed length: signature, version and command, family, length of the rest.
const FIXED_LEN: usize = 16;
/// The longest header that is taken, in bytes. Addresses need at most 216; the rest is for what
/// balancers add behind them, which is skipped.
pub const PROXY_HEADER_LEN_MAX: usize = 4096;

const COMMAND_LOCAL: u8 = 0;
const COMMAND_PROXY: u8 = 1;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;
/// Two addresses and two ports.
const IPV4_LEN: usize = 12;
const IPV6_LEN: usize = 36;

/// How far a header has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// At least this many bytes are missing. Whoever reads no more than these reads nothing of
    /// what stands behind the header.
    Incomplete {
        /// More than zero.
        missing_len: usize,
    },
    /// It is whole, and what follows is the client's.
    Complete {
        /// Its length in bytes.
        len: usize,
        /// The client, if the header names one: not for the balancer's own checks (`LOCAL`), nor
        /// for one that came to it over anything but TCP.
        client: Option<Peer>,
    },
}

/// Why bytes are no header that is taken.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NoProxyHeader {
    /// Other bytes altogether.
    #[error("it does not begin with a PROXY protocol header")]
    Signature,
    /// The line of text of version 1.
    #[error(
        "it begins with a PROXY protocol header of version 1: have the balancer send version 2"
    )]
    Version1,
    /// A version or command that is not known.
    #[error("its PROXY protocol header is of an unknown version or command")]
    Version,
    /// Longer than [`PROXY_HEADER_LEN_MAX`], or too short for its addresses.
    #[error("its PROXY protocol header has a length that cannot be")]
    Length,
}

/// Reads the header that `bytes`, all that has come so far, begin with.
pub fn parse(bytes: &[u8]) -> Result<ProxyHeader, NoProxyHeader> {
    check_signature(bytes)?;
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED_LEN>() else {
        let missing_len = FIXED_LEN - bytes.len();
        return Ok(ProxyHeader::Incomplete { missing_len });
    };
    let [.., version_command, family, len_high, len_low] = *fixed;
    let command = version_command & 0x0f;
    if version_command >> 4 != 2 || command > COMMAND_PROXY {
        return Err(NoProxyHeader::Version);
    }
    let rest_len = usize::from(u16::from_be_bytes([len_high, len_low]));
    let len = FIXED_LEN + rest_len;
    if len > PROXY_HEADER_LEN_MAX || (command == COMMAND_PROXY && rest_len < least_len(family)) {
        return Err(NoProxyHeader::Length);
    }
    if rest.len() < rest_len {
        let missing_len = rest_len - rest.len();
        return Ok(ProxyHeader::Incomplete { missing_len });
    }
    let client = match command {
        COMMAND_LOCAL => None,
        _ => client(family, rest),
    };
    Ok(ProxyHeader::Complete { len, client })
}

/// Says as early as possible that these bytes become no header.
fn check_signature(bytes: &[u8]) -> Result<(), NoProxyHeader> {
    let begun = &bytes[..bytes.len().min(SIGNATURE.len())];
    if SIGNATURE.starts_with(begun) {
        return Ok(());
    }
    match bytes.starts_with(b"PROXY ") {
        true => Err(NoProxyHeader::Version1),
        false => Err(NoProxyHeader::Signature),
    }
}

/// What the addresses of a family take. Those that are not looked at may be missing.
fn least_len(family: u8) -> usize {
    match family {
        TCP_OVER_IPV4 => IPV4_LEN,
        TCP_OVER_IPV6 => IPV6_LEN,
        _ => 0,
    }
}

/// Source and destination address, source and destination port, big-endian.
fn client(family: u8, addresses: &[u8]) -> Option<Peer> {
    let (ip, ports) = match family {
        TCP_OVER_IPV4 => {
            let (source, rest) = addresses.split_first_chunk::<4>()?;
            (IpAddr::V4(Ipv4Addr::from(*source)), rest.get(4..)?)
        }
        TCP_OVER_IPV6 => {
            let (source, rest) = addresses.split_first_chunk::<16>()?;
            (IpAddr::V6(Ipv6Addr::from(*source)), rest.get(16..)?)
        }
        _ => return None,
    };
    let port = u16::from_be_bytes(*ports.first_chunk::<2>()?);
    Some(Peer::Ip(ip.to_canonical(), port))
}

#[cfg(test)]
#[path = "proxy_header_test.rs"]
mod tests;
