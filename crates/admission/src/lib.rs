//! Who is served next, and who waits: fair queues over tenants, and the rates that tenants may not
//! exceed.
//!
//! Everything here is pure: it is told the time and the cost, and says whose turn it is or when to
//! ask again.
#![forbid(unsafe_code)]

mod bucket;
mod contention;
mod fair_queue;
mod throttle;

pub use bucket::{Bucket, Lease, Rate};
pub use contention::{Contention, Usage};
pub use fair_queue::{FairQueue, FlowId};
pub use throttle::{Buckets, Cost, Throttle};
