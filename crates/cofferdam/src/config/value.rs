//! Kinds of values in the configuration, each read from the same text in the file and in a flag.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use base::{ByteSize, IpNetwork};
use runtime::http::Origin;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A size in bytes: `"64MiB"` or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) ByteSize);

impl Size {
    pub(crate) const fn bytes(self) -> u64 {
        self.0.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// More is a mistake, and must not run over where it is added to the time.
const SPAN_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// A length of time: `"5s"`, `"500ms"`, `"1m 30s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(time) if time <= SPAN_MAX => Ok(Self(time)),
            Ok(_) => Err(format!("{text:?} is more than ten years: give less")),
            Err(_) => Err(format!(
                "{text:?} is not a length of time: write for instance 500ms or 5s"
            )),
        }
    }
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addr(pub(crate) SocketAddr);

impl FromStr for Addr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("{text:?} is not ADDR:PORT: write for instance 127.0.0.1:11212 or [::1]:11212")
        })
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an admin API is asked: `ADDR:PORT`, `http://HOST:PORT` or `https://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) Origin);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Addresses that share a prefix: `"10.0.0.0/8"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) IpNetwork);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

/// All permission bits.
const MODE_MAX: u32 = 0o777;

/// The permission bits of a socket file: `"0600"` or `0o600`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileMode(pub(crate) u32);

impl FromStr for FileMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match u32::from_str_radix(text, 8) {
            Ok(mode) if mode <= MODE_MAX => Ok(Self(mode)),
            _ => Err(format!(
                "{text:?} is not a file mode: write in octal, as \"0600\""
            )),
        }
    }
}

/// What is read from one word; an error names the word and says what would be right.
pub(crate) trait Word: Sized {
    fn read(word: &str) -> Result<Self, String>;
}

macro_rules! words {
    ($($kind:ty),*) => {$(
        impl Word for $kind {
            fn read(word: &str) -> Result<Self, String> {
                word.parse()
            }
        }
    )*};
}

words!(Size, Span, Addr, Place);

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Word for $kind {
            fn read(word: &str) -> Result<Self, String> {
                let most = Self::MAX;
                word.parse()
                    .map_err(|_| format!("{word:?} is not a whole number from 0 to {most}"))
            }
        }
    )*};
}

numbers!(u16, u32, u64);

/// Chosen by the machine's size, or given: `"auto"` or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auto<T> {
    /// Up to the program.
    Auto,
    /// This.
    Is(T),
}

impl<T: Word> FromStr for Auto<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => match T::read(text) {
                Ok(value) => Ok(Self::Is(value)),
                Err(e) => Err(format!("{e} (or \"auto\")")),
            },
        }
    }
}

/// Given, or not in use: `"off"` or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch<T> {
    /// Not in use.
    Off,
    /// This.
    On(T),
}

impl<T> Switch<T> {
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T: Word> FromStr for Switch<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            _ => match T::read(text) {
                Ok(value) => Ok(Self::On(value)),
                Err(e) => Err(format!("{e} (or \"off\")")),
            },
        }
    }
}

/// Reads a string or a whole number with `FromStr`.
struct Text<T>(PhantomData<T>);

impl<T: FromStr> Visitor<'_> for Text<T>
where
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

macro_rules! deserialize_as_text {
    ($($kind:ident $(<$param:ident>)?),*) => {$(
        impl<'de $(, $param: Word)?> Deserialize<'de> for $kind $(<$param>)? {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Text(PhantomData))
            }
        }
    )*};
}

/// Reads a string of octal digits, or a number of which only the value is known here.
struct Mode;

impl Visitor<'_> for Mode {
    type Value = FileMode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file mode such as 0o600 or \"0600\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<FileMode, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<FileMode, E> {
        match u32::try_from(number) {
            Ok(mode) if mode <= MODE_MAX => Ok(FileMode(mode)),
            _ => Err(E::custom(format!(
                "{number} is not a file mode: write in octal, as 0o600 or \"0600\""
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for FileMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Mode)
    }
}

deserialize_as_text!(Size, Span, Addr, Place, Network, Auto<T>, Switch<T>);

#[cfg(test)]
#[path = "value_test.rs"]
mod tests;
