//! How the parts of a plan are written by people and read back.

use std::fmt;
use std::str::FromStr;

use base::ByteSize;

use super::plan::{Arrivals, AuthDialect, Distribution, Login, Mix, Protocol, Target, ValueLen};

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({:?})", self.username)
    }
}

impl FromStr for Login {
    type Err = String;

    /// `USER:PASSWORD`; the password may hold further colons.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((username, password)) if !username.is_empty() => Ok(Self {
                username: username.into(),
                password: password.into(),
            }),
            _ => Err("a login is USER:PASSWORD".into()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    /// `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH`, or a path that begins with `/` or `.`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        if text.starts_with(['/', '.']) {
            return Ok(Self::Unix(text.into()));
        }
        let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(port)) if port > 0 => Ok(Self::Tcp(text.into())),
            _ => Err(format!(
                "{text:?} is not a target: write HOST:PORT or unix:PATH"
            )),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Meta => "meta",
            Self::Binary => "binary",
        })
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "meta" => Ok(Self::Meta),
            "binary" => Ok(Self::Binary),
            _ => Err(format!("{text:?} is not a protocol: text, meta or binary")),
        }
    }
}

impl FromStr for AuthDialect {
    type Err = String;

    /// `body` (user and password in the value), `key` (user as key), or `sasl`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "body" => Ok(Self::MemcachedY),
            "key" => Ok(Self::KeyIsUser),
            "sasl" => Ok(Self::Sasl),
            _ => Err(format!(
                "{text:?} is not a way to log in: body, key or sasl"
            )),
        }
    }
}

impl FromStr for Arrivals {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "poisson" => Ok(Self::Poisson),
            "fixed" => Ok(Self::Fixed),
            _ => Err(format!(
                "{text:?} is not an arrival pattern: poisson or fixed"
            )),
        }
    }
}

impl FromStr for Mix {
    type Err = String;

    /// Shares by name, `get=90,set=10`; an `mget` says its keys after a slash, `mget=5/50`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut mix = Self {
            get: 0,
            set: 0,
            mget: 0,
            delete: 0,
            touch: 0,
            ..Self::default()
        };
        for part in text.split(',').map(str::trim) {
            let (name, share) = part.split_once('=').unwrap_or((part, "1"));
            match name {
                "get" => mix.get = share_of(part, share)?,
                "set" => mix.set = share_of(part, share)?,
                "delete" => mix.delete = share_of(part, share)?,
                "touch" => mix.touch = share_of(part, share)?,
                "mget" => {
                    let (share, keys) = share.split_once('/').unwrap_or((share, "50"));
                    mix.mget = share_of(part, share)?;
                    mix.mget_keys = share_of(part, keys)?;
                }
                _ => {
                    return Err(format!(
                        "{name:?} is not an operation: get, set, mget, delete or touch"
                    ));
                }
            }
        }
        Ok(mix)
    }
}

fn share_of(part: &str, digits: &str) -> Result<u32, String> {
    let wrong = || format!("{part:?} is not a share: write NAME=NUMBER, or mget=NUMBER/KEYS");
    digits.parse().map_err(|_| wrong())
}

impl FromStr for Distribution {
    type Err = String;

    /// `uniform`, `sequential`, `zipf` (exponent 0.99) or `zipf:THETA`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a distribution: uniform, sequential, zipf or zipf:THETA");
        match text.split_once(':').unwrap_or((text, "")) {
            ("uniform", "") => Ok(Self::Uniform),
            ("sequential", "") => Ok(Self::Sequential),
            ("zipf", "") => Ok(Self::Zipf(0.99)),
            ("zipf", theta) => theta.parse().map(Self::Zipf).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl FromStr for ValueLen {
    type Err = String;

    /// `100`, a range `64..4KiB`, or a list `100,1000,10KiB`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((low, high)) = text.split_once("..") {
            return Ok(Self::Uniform(len_of(low)?, len_of(high)?));
        }
        if text.contains(',') {
            let lens: Result<Vec<u32>, String> = text.split(',').map(len_of).collect();
            return lens.map(Self::List);
        }
        len_of(text).map(Self::Fixed)
    }
}

fn len_of(text: &str) -> Result<u32, String> {
    let size: ByteSize = text.parse()?;
    u32::try_from(size.0).map_err(|_| format!("{text:?} is too long for a value: at most 1GiB"))
}

#[cfg(test)]
#[path = "plan_text_test.rs"]
mod tests;
