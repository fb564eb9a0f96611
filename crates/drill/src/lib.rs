//! Load on purpose: the generator behind `cofferdam load`, and drills that replay outages.
#![forbid(unsafe_code)]

mod child;
mod error;
pub mod friday;
pub mod load;
mod machine;

pub use child::exec;
pub use error::DrillError;
