//! What the public is told of the service: components, incidents, uptime, pages and feeds.
//!
//! Nothing in here asks anybody: probes, events and the time are handed in, pages are handed out.
#![forbid(unsafe_code)]

pub mod affairs;
pub mod api_v2;
pub mod board;
pub mod cause;
pub mod civil;
pub mod component;
pub mod desk;
pub mod feeds;
pub mod forms;
pub mod history;
pub mod incident;
pub mod judge;
pub mod level;
pub mod maintenance;
pub mod page;
pub mod privacy;
#[cfg(test)]
mod sample;
pub mod subscribers;
pub mod svg;
pub mod view;
#[cfg(test)]
mod virtual_prober;
pub mod words;
