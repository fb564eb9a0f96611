//! A load generator for memcached's protocols: closed and open loop, many tenants, honest latency.
//!
//! Describe a run in a [`Plan`], give it to [`run`], read the [`Report`]. Each of the plan's threads
//! (`worker`, `phases`) moves its own connections (`connection`) by readiness events (`drive`,
//! `reopen`). What is sent comes from `op`, `draw`, `values` and, in an open loop, `schedule`, which
//! are pure; how it looks on the wire is `wire`; what comes back goes to `recorder`.

pub(crate) mod clock;
mod connection;
mod draw;
mod drive;
mod error;
mod gate;
mod keys;
mod login;
mod op;
mod open;
mod open_door;
mod outside;
mod phases;
mod plan;
mod plan_text;
mod recorder;
mod reopen;
mod report;
mod report_text;
mod run;
mod schedule;
mod shared;
mod socket;
mod stream;
mod tally;
mod values;
mod wire;
mod worker;

pub use error::LoadError;
pub use plan::{
    Arrivals, AuthDialect, Distribution, KeySpace, Login, Mix, Mode, Plan, Protocol, Target,
    ValueLen,
};
pub use report::{
    Errors, Generator, HoldReport, Latency, OpReport, OpenReport, Other, Outside, Phase, Prefill,
    Progress, Report, TenantReport, ThreadReport,
};
pub use run::run;

pub(crate) use login::{request as login_request, verdict as login_verdict};
pub(crate) use stream::{Window, stream};
pub(crate) use tally::Timing;
