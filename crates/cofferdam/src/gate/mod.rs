//! The gate in the gateways: the one with the steward's lease tests who wants to be a node, and lets it
//! through or sends it away. A thread of its own, which may wait.

mod book;
mod keeper;
mod trial;
mod way;
mod wishes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use runtime::Clock;

use crate::config::{Config, JudgeMode};
use crate::failure::Failure;
use crate::fleet_data::FleetData;
use crate::membership::{self, Membership};
pub(crate) use book::{GateReport, NodeRecord, REPORT};
use keeper::GateKeeper;
use trial::Trial;
pub(crate) use wishes::wish;

/// How often it looks whose turn it is.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps the gate until it is dropped.
#[derive(Debug)]
pub(crate) struct Gate {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Gate {
    /// Of the fleet that this gateway is a member of; `None` where nobody judges: who goes on behind
    /// the gate is the judge's to say.
    pub(crate) fn start(
        config: &Config,
        clock: Clock,
        data: &FleetData,
        member: &Arc<Membership>,
    ) -> Result<Option<Self>, Failure> {
        if config.judge.mode != JudgeMode::On {
            return Ok(None);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let trial = Trial {
            me: config.fleet.name.clone(),
            member: member.sight().me,
            tls: data.tls(),
            clock,
            limits: config.gate.limits(),
            stop: Arc::clone(&stop),
        };
        let mut keeper = GateKeeper::new(
            config.gate.clone(),
            membership::judging_store(config)?,
            Arc::clone(member),
            trial,
        );
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("gate".into());
        let thread = thread.spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                thread::park_timeout(LOOK_EVERY);
                if let Err(error) = keeper.turn() {
                    tracing::debug!(%error, "the gate cannot go on now");
                }
            }
        })?;
        Ok(Some(Self {
            stop,
            thread: Some(thread),
        }))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}
