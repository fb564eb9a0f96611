//! A process and its machine on the page, for processes that have no observer.

use runtime::Clock;
use runtime::observe::exposition::Exposition;
use runtime::observe::host::HostSampler;

use super::{host, process};

/// Looks when it is asked; what is counted is counted by the kernel.
#[derive(Clone, Debug)]
pub(crate) struct MachinePage {
    sampler: HostSampler,
    /// Seconds since the Unix epoch.
    started_s: f64,
}

impl MachinePage {
    /// Of a process that begins to serve now.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            sampler: HostSampler::new(),
            started_s: std::time::Duration::from_nanos(clock.now().as_nanos()).as_secs_f64(),
        }
    }

    /// Adds what every process tells.
    pub(crate) fn write(&self, page: &mut Exposition) {
        let sample = self.sampler.sample();
        process::itself(page, &sample.process, self.started_s);
        host::write(page, &sample);
    }
}
