//! Watches the service, its tenants and the machine, and tells what it saw: metrics and events.

mod cut;
pub(crate) mod detect;
pub(crate) mod event_view;
pub(crate) mod history;
mod ledger;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod nodes;
mod observatory;
mod observer;
pub(crate) mod reading;
pub(crate) mod service;
pub(crate) mod signal;
mod snapshot;
mod tcp_eye;

pub(crate) use cut::MemoryCut;
pub(crate) use ledger::in_words;
pub(crate) use metrics::certificates;
pub(crate) use observatory::Observatory;
pub(crate) use observer::Observer;
