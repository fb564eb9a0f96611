//! The command line of Cofferdam, and the place where its parts are put together.
#![forbid(unsafe_code)]

mod alerts;
mod api;
mod audit;
mod board;
mod cli;
mod config;
mod console;
mod control;
mod data;
mod engine_trial;
mod failure;
#[cfg(test)]
mod fake_plane;
mod files;
mod fleet_data;
mod fleet_parts;
mod fleet_tls;
mod gate;
mod hooks;
mod inherited;
mod judging;
mod listeners;
mod local_backend;
mod local_plane;
mod logging;
mod machine;
mod membership;
mod node_admin;
mod node_role;
mod observe;
mod plane;
mod preflight;
mod reload;
mod renewal;
mod servers;
mod status;
mod tenant_console;
mod tls;
mod up;
mod upgrade;
mod web;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::memory::give_back_large_blocks();
    cli::main()
}
