//! Client sessions, the door and the scheduler of one event loop, without I/O.
#![forbid(unsafe_code)]

pub mod directory;
