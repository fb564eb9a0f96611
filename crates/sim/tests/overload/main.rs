//! The real shard, door, admission and cache under overload, in virtual time.
//!
//! `SIM_SEED=N` repeats a run; a failure says which seed it had.
#![forbid(unsafe_code)]

mod calm;
mod chance;
mod crowd;
mod harness;
mod metastable;
mod misfits;
mod nightly;
mod shares;
mod spike;
mod storm;
mod throttle;
