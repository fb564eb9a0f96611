//! Checks the rules of the house that compilers and linters do not know.
#![forbid(unsafe_code)]

fn main() {}
