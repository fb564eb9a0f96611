//! What a server takes of its core and tells of itself, read at the edges of phases.

use serde_json::Value;

use super::server_view::{Delays, busy_ns};
use super::subject::{AGGRESSOR, Subject};
use crate::load::clock;
use crate::machine::{Ticks, cpu_ns};

/// Reads what the server's processes take and tell, from one time to the next.
pub(crate) struct Meter {
    pub(crate) pids: Vec<u32>,
    core: usize,
    ticks: Ticks,
    at_ns: u64,
    cpu_ns: u64,
    stat: Value,
}

/// What a meter read since the last time.
pub(crate) struct Reading {
    /// CPU as a part of one core; 0 where the processes are not known.
    pub(crate) cpu: f64,
    /// What others took of its core; 0 where its processes are not known.
    pub(crate) others: f64,
    /// The victims' requests waited so long at the server; 0 where it does not tell.
    pub(crate) p99_ms: f64,
    /// Serving the victims, as a part of time, in the server's words.
    pub(crate) victims_busy: Option<f64>,
}

impl Meter {
    /// From now on.
    pub(crate) fn of(subject: &Subject, core: usize) -> Self {
        let pids = subject.pids();
        Self {
            core,
            ticks: Ticks::of_core(core),
            cpu_ns: cpu_ns(&pids),
            at_ns: clock::now_ns(),
            pids,
            stat: subject.stat(),
        }
    }

    /// Since the last time.
    pub(crate) fn read(&mut self, subject: &Subject) -> Reading {
        let (cpu_ns, at_ns) = (cpu_ns(&self.pids), clock::now_ns());
        let stat = subject.stat();
        let time_ns = at_ns.saturating_sub(self.at_ns).max(1) as f64;
        let part = |now_ns: u64, then_ns: u64| now_ns.saturating_sub(then_ns) as f64 / time_ns;
        let (busy, busy_then) = (busy_ns(&stat, AGGRESSOR), busy_ns(&self.stat, AGGRESSOR));
        let delays = Delays::of(&stat, AGGRESSOR);
        let ticks = Ticks::of_core(self.core);
        let cpu = part(cpu_ns, self.cpu_ns);
        let is_known = !self.pids.is_empty();
        let reading = Reading {
            cpu,
            others: match is_known {
                true => (ticks.busy_since(self.ticks) - cpu).max(0.0),
                false => 0.0,
            },
            p99_ms: delays.p99_ms_since(&Delays::of(&self.stat, AGGRESSOR)),
            victims_busy: busy.zip(busy_then).map(|(now, then)| part(now, then)),
        };
        (self.cpu_ns, self.at_ns, self.stat) = (cpu_ns, at_ns, stat);
        self.ticks = ticks;
        reading
    }
}
