//! Load on purpose: the generator behind `cofferdam load`.
#![forbid(unsafe_code)]

pub mod load;
