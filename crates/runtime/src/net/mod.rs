//! Event loops over the clients' sockets.

mod accept;
mod admit;
mod connection;
mod deadlines;
mod event_loop;
mod exchange;
mod listener;
mod loops;
mod meter;

pub use listener::{ListenError, Listener};
pub use loops::{Limits, Loops, LoopsConfig};
