//! A load generator for memcached's protocols: closed and open loop, many tenants, honest latency.

mod error;
mod keys;
mod plan;
mod plan_text;
mod report;
mod report_text;

pub use error::LoadError;
pub use plan::{
    Arrivals, AuthDialect, Distribution, KeySpace, Login, Mix, Mode, Plan, Protocol, Target,
    ValueLen,
};
pub use report::{
    Errors, Generator, HoldReport, Latency, OpReport, OpenReport, Phase, Prefill, Progress, Report,
    TenantReport, ThreadReport,
};
