//! The memory engine of one tenant: log segments, eviction by S3-FIFO, exact expiry and CAS.

mod config;
mod geometry;
mod ghost;
mod hash;
mod index;
mod item;
mod memory;
mod segment;
mod shard;
mod slab;
mod sum;
mod tenant;

pub use config::{Config, ConfigError};
pub use tenant::TenantCache;

#[cfg(test)]
mod model;
#[cfg(test)]
mod model_test;
