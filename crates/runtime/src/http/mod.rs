//! Plumbing for HTTP over TCP and Unix sockets: a guarded server and a small client.

mod client;
mod gate;
mod guard;
mod origin;
mod places;
mod public;
mod reception;
mod server;
mod unix_path;

pub use client::{ClientError, Endpoint, Method, Response, call, request};
pub use gate::Gate;
pub use guard::{Guard, same_secret};
pub use origin::{Authority, Origin};
pub use public::{PublicListener, PublicServer, Site};
pub use server::{BindError, Listeners, Peer, Server};

#[cfg(test)]
#[path = "http_test.rs"]
mod tests;
