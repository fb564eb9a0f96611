//! Networks of addresses, written as in RFC 4632 and RFC 4291: `10.0.0.0/8`, `2001:db8::/32`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The addresses that share their first bits with one; its text is `ADDRESS/BITS`, and an address
/// alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpNetwork {
    /// Its first address: all bits behind the prefix are zero.
    address: IpAddr,
    prefix_len: u8,
}

impl IpNetwork {
    /// The network of `address` and all that share its first `prefix_len` bits; `None` where an
    /// address has not so many.
    pub fn of(address: IpAddr, prefix_len: u8) -> Option<Self> {
        if prefix_len > bits(address) {
            return None;
        }
        Some(Self {
            address: first(address, prefix_len),
            prefix_len,
        })
    }

    /// Whether `address` lies in it. An IPv4 address that came over an IPv6 socket (`::ffff:a.b.c.d`)
    /// is taken for what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        bits(address) == bits(self.address) && first(address, self.prefix_len) == self.address
    }
}

/// Networks that are no place in the public internet, or none that anybody there should be sent to:
/// what the IANA registers of special-purpose addresses (RFC 6890 and those that amend it) hold.
const SPECIAL: [(&str, u8); 26] = [
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.31.196.0", 24),
    ("192.52.193.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("192.175.48.0", 24),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 3),
    // Of IPv6 nothing but 2000::/3 is given out; what follows these three is special within it.
    ("::", 3),
    ("4000::", 2),
    ("8000::", 1),
    ("2001::", 23),
    ("2001:db8::", 32),
    // These carry an IPv4 address that could be anybody's.
    ("2002::", 16),
    ("2620:4f:8000::", 48),
    ("3ffe::", 16),
    ("3fff::", 20),
];

/// Whether `address` is somewhere in the public internet: not this machine, not a private network,
/// not a group, not an address that stands for another.
pub fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !SPECIAL.iter().any(|(first, prefix_len)| {
        let network = first.parse().ok();
        let network = network.and_then(|first| IpNetwork::of(first, *prefix_len));
        network.is_none_or(|network| network.contains(address))
    })
}

fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// `address` with all but its first `prefix_len` bits zero.
fn first(address: IpAddr, prefix_len: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let behind = u32::MAX.checked_shr(prefix_len.into()).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & !behind).into())
        }
        IpAddr::V6(v6) => {
            let behind = u128::MAX.checked_shr(prefix_len.into()).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !behind))
        }
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

impl FromStr for IpNetwork {
    type Err = String;

    /// Refuses an address with bits behind the prefix: whoever writes `10.1.0.0/8` may mean either.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a network: write for instance 10.0.0.0/8 or 2001:db8::/32");
        let (address, prefix_len) = match text.split_once('/') {
            Some((address, prefix_len)) => {
                let prefix_len: u8 = prefix_len.parse().map_err(|_| wrong())?;
                (address, Some(prefix_len))
            }
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix_len = prefix_len.unwrap_or_else(|| bits(address));
        let network = Self::of(address, prefix_len).ok_or_else(wrong)?;
        if network.address != address {
            return Err(format!(
                "{text:?} has bits set behind its prefix: write {network} or a longer prefix"
            ));
        }
        Ok(network)
    }
}

#[cfg(test)]
#[path = "network_test.rs"]
mod tests;
