//! A token to join with, as text: which one it is, its secret, and whose authority it is of.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};

use crate::secrets::{self, hex};

const PREFIX: &str = "cofferdam-join-1";
const ID_LEN: usize = 8;

/// Lets one member join, once.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    pub(super) id: String,
    secret: String,
    /// SHA-256 of the authority's certificate, in hexadecimal digits.
    pub(super) fingerprint: String,
}

impl JoinToken {
    /// A new one; its secret has 130 random bits.
    pub(super) fn new(fingerprint: String) -> std::io::Result<Self> {
        Ok(Self {
            id: secrets::random_text(ID_LEN)?,
            secret: secrets::password()?,
            fingerprint,
        })
    }

    /// What the authority keeps of the secret.
    pub(super) fn digest(&self) -> String {
        digest_of(&self.secret)
    }

    /// As it is handed to whoever joins.
    pub fn reveal(&self) -> String {
        let Self {
            id,
            secret,
            fingerprint,
        } = self;
        format!("{PREFIX}.{id}.{secret}.{fingerprint}")
    }

    /// What is told to the authority, which knows its own fingerprint.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }
}

/// SHA-256 of a secret, in hexadecimal digits.
pub(super) fn digest_of(secret: &str) -> String {
    hex(digest(&SHA256, secret.as_bytes()).as_ref())
}

/// Without the secret, wherever it may be written.
impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinToken({})", self.id)
    }
}

impl FromStr for JoinToken {
    type Err = String;

    /// The error never tells what was read: it may be most of a secret.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            "this is no join token: take it whole from `cofferdam cluster token` (it begins with \
             cofferdam-join-1)"
                .to_owned()
        };
        let mut parts = text.trim().split('.');
        let [prefix, id, secret, fingerprint] = std::array::from_fn(|_| parts.next().unwrap_or(""));
        let is_plain =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_whole = prefix == PREFIX
            && parts.next().is_none()
            && [id, secret].into_iter().all(is_plain)
            && fingerprint.len() == 64
            && fingerprint.bytes().all(|b| b.is_ascii_hexdigit());
        match is_whole {
            true => Ok(Self {
                id: id.to_owned(),
                secret: secret.to_owned(),
                fingerprint: fingerprint.to_ascii_lowercase(),
            }),
            false => Err(bad()),
        }
    }
}
