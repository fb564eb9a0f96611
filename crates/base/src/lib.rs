//! Words that every crate shares: identities, units, time, randomness by seed, and operations on keys.
#![forbid(unsafe_code)]

pub mod event;
pub mod fleet;
pub mod kv;
pub mod network;
pub mod ordinal;
pub mod rights;
pub mod rng;
pub mod size;
mod stats;
pub mod tenant;
pub mod time;
pub mod top;

pub use network::{IpNetwork, is_public};
pub use ordinal::Ordinal;
pub use rights::Rights;
pub use size::ByteSize;
pub use tenant::{CredentialId, TenantId, TrafficLimits};
pub use time::Timestamp;
