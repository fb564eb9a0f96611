//! Where an HTTP server is asked: scheme, host and port, as in a URL.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Whose word is taken for who a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Those whom this machine's system trusts.
    System,
    /// Those in this PEM file.
    File(PathBuf),
}

/// A server's place: `ADDR:PORT`, `http://HOST:PORT` or `https://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Who vouches for the server, where it speaks TLS.
    pub tls: Option<Authority>,
}

impl Origin {
    /// The same, vouched for by those in `authority` where TLS is spoken.
    pub fn with_authority(mut self, authority: Option<PathBuf>) -> Self {
        if let (Some(tls), Some(path)) = (&mut self.tls, authority) {
            *tls = Authority::File(path);
        }
        self
    }

    /// The host and port alone, as `Host` has them.
    pub fn host_and_port(&self) -> String {
        match self.host.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, self.port).to_string(),
            Err(_) => format!("{}:{}", self.host, self.port),
        }
    }
}

impl From<SocketAddr> for Origin {
    fn from(addr: SocketAddr) -> Self {
        Self {
            host: addr.ip().to_string(),
            port: addr.port(),
            tls: None,
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || {
            format!(
                "{text:?} is no place of a server: write ADDR:PORT, http://HOST:PORT or \
                 https://HOST:PORT"
            )
        };
        if let Ok(addr) = text.parse::<SocketAddr>() {
            return Ok(addr.into());
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(error)?;
        let tls = match scheme {
            "http" => None,
            "https" => Some(Authority::System),
            _ => return Err(error()),
        };
        let (host, port) = rest
            .trim_end_matches('/')
            .rsplit_once(':')
            .ok_or_else(error)?;
        let port = port.parse().ok().filter(|port| *port > 0);
        let host = match host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(bracketed) => bracketed.parse::<IpAddr>().ok().map(|ip| ip.to_string()),
            None => is_name(host).then(|| host.to_owned()),
        };
        Ok(Self {
            host: host.ok_or_else(error)?,
            port: port.ok_or_else(error)?,
            tls,
        })
    }
}

/// A name or an IPv4 address, nothing of a path or a user.
fn is_name(host: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(is_part)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tls {
            Some(_) => write!(f, "https://{}", self.host_and_port()),
            None => f.write_str(&self.host_and_port()),
        }
    }
}

#[cfg(test)]
#[path = "origin_test.rs"]
mod tests;
