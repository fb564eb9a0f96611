//! Load on purpose: the generator behind `cofferdam load`, and drills that replay outages.
#![forbid(unsafe_code)]

mod child;
mod error;
pub mod friday;
mod home;
pub mod load;
mod machine;
pub mod namespaces;
pub mod proxy;
pub mod wednesday;

pub use child::{Post, exec};
pub use error::DrillError;
