//! A client's half: the handshake as seen from there, and replies read from a stream.
//!
//! Requests are written with [`crate::Request::put`], the last one with [`put_disconnect`].

mod handshake;
mod replies;

pub use handshake::{ClientHandshake, ClientProgress, Joined};
pub use replies::{ReplyEvent, ReplyReader};

pub use crate::request::put_disconnect;
