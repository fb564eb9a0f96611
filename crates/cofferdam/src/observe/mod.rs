//! Watches the service, its tenants and the machine, and tells what it saw: metrics and events.

pub(crate) mod detect;
pub(crate) mod event_view;
mod ledger;
pub(crate) mod log;
mod metrics;
mod observatory;
mod observer;
mod reading;
mod signal;
mod snapshot;
mod tcp_eye;
mod watchdog;

pub(crate) use observatory::Observatory;
pub(crate) use observer::Observer;
