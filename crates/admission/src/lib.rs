//! Who is served next, and who waits: fair queues over tenants.
#![forbid(unsafe_code)]

mod fair_queue;

pub use fair_queue::{FairQueue, FlowId};
