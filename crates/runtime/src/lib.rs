//! All input and output: event loops, sockets, clock, state, HTTP. The only place where time is read.

pub mod http;
pub mod secrets;
pub mod state;
