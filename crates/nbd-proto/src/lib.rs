//! Bytes to NBD requests and replies to bytes, without I/O: the server's side whole, and a client's half.
//!
//! The text followed is `doc/proto.md` of NetworkBlockDevice/nbd. A connection is first a
//! [`Handshake`], which is handed what arrived and a [`Directory`] of exports, and ends with
//! [`Agreed`]. From then on it is a [`Transmission`], which finds requests and refuses the wrong
//! ones, and [`Replies`], which answers in the form that was agreed. The data of a WRITE comes in
//! pieces as they arrive, so that a request of 32 MiB needs no buffer of 32 MiB.
#![forbid(unsafe_code)]

pub mod client;
mod errno;
mod export;
mod handshake;
mod metadata;
mod option;
mod reply;
mod request;
#[cfg(test)]
mod testing;
mod transmission;
pub mod wire;

pub use errno::Errno;
pub use export::{BLOCK_LEN_PREFERRED, Directory, Export, Refusal};
pub use handshake::{Agreed, Handshake, Progress, Tls};
pub use metadata::{ALLOCATION_ID, Extent};
pub use reply::Replies;
pub use request::{Command, Request};
pub use transmission::{Event, Refused, Transmission};

/// The longest payload of a READ or a WRITE, as told to clients that ask for block sizes.
pub const PAYLOAD_LEN_MAX: u32 = 32 << 20;

/// The longest option that is read; a longer one is skipped and answered with an error.
pub const OPTION_LEN_MAX: u32 = 16 << 10;

/// The longest string of the protocol: names, descriptions, messages.
pub const STRING_LEN_MAX: usize = 4096;
