//! Event loops over the clients' sockets.

mod accept;
mod admit;
mod arrival;
mod connection;
mod deadlines;
mod errands;
mod event_loop;
mod exchange;
pub mod handover;
pub mod inherited;
mod link;
mod listener;
mod loops;
mod meter;
mod owners;
mod places;
mod proxy_lobby;
mod pulse;
mod retire;
mod socket;
pub mod tls;
mod upstream;

pub use listener::{ListenError, Listener, SocketOptions};
pub use loops::{Limits, Loops, LoopsConfig};
pub use upstream::UpstreamConfig;
