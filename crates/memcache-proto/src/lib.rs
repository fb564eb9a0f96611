//! Bytes to requests and replies to bytes: memcached's text, meta and binary protocols, without I/O.
//!
//! The server's side is a [`Decoder`] per connection, which finds the dialect out by itself, and a
//! [`Reply`] that comes with each request and knows how to answer it, so that whoever serves the
//! requests never learns which protocol a connection speaks. [`auth`] is the part that runs before
//! a connection has said who it is. The behaviour followed is that of memcached 1.6.45.
#![forbid(unsafe_code)]

pub mod auth;
mod base64_key;
mod binary;
pub mod client;
mod decoder;
mod exptime;
#[cfg(test)]
mod hostile_test;
mod meta;
mod number;
mod peek;
mod reply;
mod request;
#[cfg(test)]
mod testing;
mod text;

pub use decoder::{Decoder, INPUT_LEN_MAX, KeyBuf, Limits, MissedKeys, Step};
pub use peek::Keys;
pub use reply::{OwnedReply, PinnedTail, Reply, ReplySink};
pub use request::{Action, Dialect, Request, StatsKind};

/// What `version` answers.
///
/// It begins with the version of memcached that is followed and not with our own name, since
/// libmemcached reads three numbers separated by dots and fails where the first is missing or 0,
/// and other clients choose by them which commands to use.
pub const VERSION: &str = concat!("1.6.45-cofferdam-", env!("CARGO_PKG_VERSION"));

/// The line that answers `version`.
pub(crate) const VERSION_LINE: &[u8] = concat!(
    "VERSION 1.6.45-cofferdam-",
    env!("CARGO_PKG_VERSION"),
    "\r\n"
)
.as_bytes();
