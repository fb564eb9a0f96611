//! TLS: what it is spoken with, how a connection begins, and how it goes on.

mod client;
mod config;
mod failure;
mod handshakes;
mod identity;
mod stream;
#[cfg(test)]
mod testing;
mod tickets;
mod turns;

pub use client::{Trust, client_config};
pub(crate) use config::Terms;
pub use config::{ClientCertificates, TlsError, TlsFiles, TlsServer};
pub(in crate::net) use handshakes::{Handshakes, Newcomer};
pub(in crate::net) use stream::TlsStream;
