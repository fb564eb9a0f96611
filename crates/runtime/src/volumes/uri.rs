//! Where an export is, as `doc/uri.md` of NetworkBlockDevice/nbd writes it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The port that NBD has by default.
const PORT: u16 = 10809;

/// `nbd://HOST[:PORT]/EXPORT` or `nbd+unix:///EXPORT?socket=PATH`; under TLS `nbds://` and `nbds+unix://`, with
/// `tls-certificates=DIR`, and `tls-hostname=NAME` where the server's certificate has another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NbdUri {
    place: Place,
    export: String,
    tls: Option<UriTls>,
}

/// What TLS is spoken with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UriTls {
    /// The folder of `ca-cert.pem`, and of `client-cert.pem` and `client-key.pem` if there are such.
    pub(super) certificates: PathBuf,
    /// The name that the server's certificate has to have.
    pub(super) hostname: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Tcp(String),
    Unix(PathBuf),
}

impl NbdUri {
    /// The export's name; empty for the server's default one.
    pub fn export(&self) -> &str {
        &self.export
    }

    /// What TLS is spoken with, if it is.
    pub(super) fn tls(&self) -> Option<&UriTls> {
        self.tls.as_ref()
    }

    /// The Unix socket, if that is where it is.
    pub fn socket(&self) -> Option<&Path> {
        match &self.place {
            Place::Unix(path) => Some(path),
            Place::Tcp(_) => None,
        }
    }

    /// `HOST:PORT`, if that is where it is; else nothing.
    pub fn host_and_port(&self) -> &str {
        match &self.place {
            Place::Tcp(place) => place,
            Place::Unix(_) => "",
        }
    }
}

impl FromStr for NbdUri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no NBD URI: write nbd://HOST[:PORT]/EXPORT or \
                 nbd+unix:///EXPORT?socket=PATH, or nbds:// and nbds+unix:// with \
                 tls-certificates=DIR for TLS"
            )
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, export) = rest.split_once('/').unwrap_or((rest, ""));
        let export = decode(export).ok_or_else(wrong)?;
        let asked = |key: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let value = pairs.find_map(|(name, value)| (name == key).then_some(value));
            value.and_then(decode)
        };
        let place = match scheme {
            "nbd" | "nbds" if !authority.is_empty() => Place::Tcp(with_port(authority)),
            "nbd+unix" | "nbds+unix" => {
                Place::Unix(PathBuf::from(asked("socket").ok_or_else(wrong)?))
            }
            _ => return Err(wrong()),
        };
        let tls = match scheme.starts_with("nbds") {
            true => Some(UriTls {
                certificates: asked("tls-certificates").ok_or_else(wrong)?.into(),
                hostname: asked("tls-hostname").unwrap_or_else(|| place.hostname()),
            }),
            false => None,
        };
        Ok(Self { place, export, tls })
    }
}

impl Place {
    /// The name that a certificate has, if nothing else is said.
    fn hostname(&self) -> String {
        match self {
            Self::Tcp(place) => {
                let host = place.rsplit_once(':').map_or(&place[..], |(host, _)| host);
                host.trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned()
            }
            Self::Unix(_) => "localhost".to_owned(),
        }
    }
}

fn with_port(authority: &str) -> String {
    let ends_with_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match ends_with_port {
        true => authority.to_owned(),
        false => format!("{authority}:{PORT}"),
    }
}

/// Text with `%XX` in it (RFC 3986); `None` if that is not well-formed.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[path = "uri_test.rs"]
mod tests;
