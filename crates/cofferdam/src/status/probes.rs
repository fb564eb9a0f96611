//! The threads that probe: one for each way to each gateway, so that none waits for another.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use runtime::Clock;
use runtime::probe::{ProbeError, Probed, Prober, Step, Trouble};
use status::component::{Failed, Fault, Outcome, Path, Stage};

use super::hub::Hub;
use super::settings::Settings;
use crate::failure::Failure;

/// After a failure the next probe comes at once, but not in a rush.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The running threads; they end when this is dropped.
pub(super) struct Probes {
    ends: Vec<mpsc::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Probes {
    pub(super) fn start(
        hub: &Arc<Hub>,
        settings: &Settings,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let mut probes = Self {
            ends: Vec::new(),
            threads: Vec::new(),
        };
        for (at, gateway) in settings.gateways.iter().enumerate() {
            for (way, path) in [Path::New, Path::Kept].into_iter().enumerate() {
                let prober = Prober::new(gateway.target.clone(), clock)?;
                let (end, ended) = mpsc::channel();
                let work = Work {
                    hub: Arc::clone(hub),
                    index: 2 * at + way,
                    path,
                    prober,
                    every: settings.every,
                };
                let thread = thread::Builder::new()
                    .name("status-probe".into())
                    .spawn(move || work.run(&ended))?;
                probes.ends.push(end);
                probes.threads.push(thread);
            }
        }
        Ok(probes)
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.ends.clear();
        for thread in self.threads.drain(..) {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

struct Work {
    hub: Arc<Hub>,
    index: usize,
    path: Path,
    prober: Prober,
    every: Duration,
}

impl Work {
    fn run(mut self, ended: &mpsc::Receiver<()>) {
        loop {
            let began = self.hub.now();
            let probed = match self.path {
                Path::New => self.prober.probe_new(),
                Path::Kept => self.prober.probe_kept(),
            };
            let now = self.hub.now();
            let outcome = outcome_of(probed);
            self.hub
                .board()
                .handle_probe(self.index, began, now, outcome);
            let pause = match outcome {
                Ok(_) => self.every,
                Err(_) => self.every.min(AFTER_FAILURE),
            };
            let left = pause.saturating_sub(now.since(began));
            if ended.recv_timeout(left) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }
}

fn outcome_of(probed: Probed) -> Outcome {
    probed.map_err(|ProbeError { step, trouble }| Failed {
        stage: match step {
            Step::Connect => Stage::Connect,
            Step::Authenticate => Stage::Authenticate,
            Step::Set => Stage::Set,
            Step::Get => Stage::Get,
            Step::Delete => Stage::Delete,
        },
        fault: match trouble {
            Trouble::Refused => Fault::Refused,
            Trouble::TimedOut => Fault::TimedOut,
            Trouble::Closed => Fault::Closed,
            Trouble::WrongAnswer => Fault::Wrong,
            Trouble::Unreachable => Fault::Unreachable,
        },
    })
}
