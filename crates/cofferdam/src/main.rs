//! The command line of Cofferdam.
#![forbid(unsafe_code)]

fn main() {}
