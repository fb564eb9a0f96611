//! A client's half: the handshake as seen from there, and replies read from a stream.
//!
//! Requests are written with [`crate::Request::put`].

mod handshake;
mod replies;

pub use handshake::{ClientHandshake, ClientProgress, Joined};
pub use replies::{ReplyEvent, ReplyReader};
