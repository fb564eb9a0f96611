//! All input and output: event loops, sockets, clock, state, HTTP. The only place where time is read.

mod clock;
pub mod cluster;
mod congestion;
pub mod descriptors;
mod dial;
pub mod documents;
pub mod history;
pub mod http;
pub mod memory;
pub mod net;
pub mod nodes;
pub mod observe;
pub mod priority;
mod private_file;
pub mod probe;
mod published;
pub mod secrets;
pub mod state;
pub mod store;
pub mod volumes;
pub mod webhook;

pub use clock::Clock;
pub use private_file::write_private;
pub use published::Published;
