//! The drill `friday`: one tenant's spike and its reconnect storm, and what the others feel of it.
//!
//! On a Friday in November 2012 a large customer's spike slowed a memcache provider's proxies. Its
//! clients timed out and connected again, 16,000 connections piled up, most of them in CLOSE_WAIT,
//! and everybody suffered. `run` puts a server through that: `act` goes through the phases, `storm`
//! and `spike` are the fault, `victims` are those who must not notice, `watch` looks at the server's
//! sockets from outside, and `score` judges.

mod act;
mod close_wait;
mod meter;
mod outcome;
mod plot;
mod report;
mod run;
mod score;
mod script;
mod server_view;
mod settings;
mod sockets;
mod spike;
mod stage;
mod storm;
mod subject;
mod sum;
mod task;
mod timeline;
mod victim_process;
mod victims;
mod watch;

pub use outcome::{
    Aggressor, Course, Figures, Generator, IdleFigures, Outcome, Peer, Storm, Verdict, Victims,
};
pub use report::Report;
pub use run::run;
pub use settings::Settings;
pub use victim_process::run_victims;
