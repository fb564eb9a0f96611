//! What a certificate says of its bearer: a name, and the role in which it may speak.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

/// `organizationalUnitName` and `commonName` (X.520).
const UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
/// Before a role, so that no unit of an organisation is taken for one.
const PREFIX: &str = "cofferdam:";
/// A name is one label of DNS.
const NAME_LEN_MAX: usize = 63;

/// What a member does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes clients, asks nodes.
    Gateway,
    /// Has data.
    Node,
    /// Is a member of the store.
    Etcd,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gateway => "gateway",
            Self::Node => "node",
            Self::Etcd => "etcd",
        })
    }
}

impl Role {
    const ALL: [Self; 3] = [Self::Gateway, Self::Node, Self::Etcd];

    /// As it stands in certificates.
    pub(super) fn unit(self) -> String {
        format!("{PREFIX}{self}")
    }
}

/// The role that a certificate names; `None` if it names none, as those of other authorities do.
///
/// # Errors
/// It cannot be read, or names a role that is not known here.
pub fn role_of(certificate: &[u8]) -> Result<Option<Role>, String> {
    let certificate = Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let mut units = texts(&certificate, UNIT).into_iter();
    let Some(unit) = units.find_map(|unit| unit.strip_prefix(PREFIX).map(str::to_owned)) else {
        return Ok(None);
    };
    let role = Role::ALL.into_iter().find(|role| role.to_string() == unit);
    role.map(Some)
        .ok_or_else(|| format!("its certificate is for the role {unit:?}, which nobody knows"))
}

/// Name and role in a certificate of the authority's.
pub(super) fn bearer(certificate: &[u8]) -> Option<(String, Role)> {
    let role = role_of(certificate).ok()??;
    let certificate = Certificate::from_der(certificate).ok()?;
    let name = texts(&certificate, COMMON_NAME).into_iter().next()?;
    Some((name, role))
}

/// The addresses and names by which the bearer of a certificate is found.
pub(super) fn alternative_names(certificate: &[u8]) -> Vec<String> {
    let Ok(certificate) = Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let Ok(Some((_, names))) = certificate.tbs_certificate.get::<SubjectAltName>() else {
        return Vec::new();
    };
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(ip) => ip_text(ip.as_bytes()),
        _ => None,
    };
    names.0.iter().filter_map(text).collect()
}

fn ip_text(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let ip = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    Some(ip.ok()?.to_string())
}

/// When a certificate begins and ends to be good, in seconds since 1970.
pub(crate) fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let validity = certificate.tbs_certificate.validity;
    let seconds = |time: Time| time.to_unix_duration().as_secs();
    Some((seconds(validity.not_before), seconds(validity.not_after)))
}

fn texts(certificate: &Certificate, kind: ObjectIdentifier) -> Vec<String> {
    let parts = certificate.tbs_certificate.subject.0.iter();
    parts
        .flat_map(|part| part.0.iter())
        .filter(|attribute| attribute.oid == kind)
        .filter_map(|attribute| {
            attribute
                .value
                .decode_as::<Utf8StringRef<'_>>()
                .ok()
                .map(|text| text.to_string())
        })
        .collect()
}

/// Whether a member may be called so.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    let is_good = (1..=NAME_LEN_MAX).contains(&name.len())
        && name.chars().all(is_plain)
        && is_edge(name.chars().next())
        && is_edge(name.chars().last());
    match is_good {
        true => Ok(()),
        false => Err(format!(
            "a member cannot be called {name:?}: choose 1 to {NAME_LEN_MAX} lower-case letters, digits \
             and hyphens"
        )),
    }
}
