//! The memory engine of one tenant: log segments, eviction by S3-FIFO, exact expiry and CAS.

mod config;
mod tenant;

pub use config::{Config, ConfigError};
pub use tenant::TenantCache;
