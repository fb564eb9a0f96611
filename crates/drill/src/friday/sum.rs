//! From everything that was seen of one server to the figures that are judged.

use serde_json::Value;

use super::outcome::{
    Aggressor, Course, Figures, Generator, IdleFigures, Storm, Victims as VictimFigures,
};
use super::score::P99_MORE_MS;
use super::spike::{Capacity, Served};
use super::timeline::{Phase, Span, Timeline};
use crate::load::Window;

/// After the end of the fault, `after` begins so much later.
const AFTER_NS: u64 = 1_000_000_000;

/// What the fault was, and what was seen of it.
pub(crate) struct Fault {
    pub(crate) windows: Vec<Window>,
    pub(crate) storm: Storm,
    /// Serving the victims under the spike, as a part of time, where the server tells it.
    pub(crate) victims_busy: Option<f64>,
    /// The spike alone; spike and storm.
    pub(crate) inject: Span,
    pub(crate) hold: Span,
    pub(crate) end_ns: u64,
}

/// Everything that figures follow from, beside the timeline and the fault.
pub(crate) struct Sum {
    pub(crate) capacity: Capacity,
    /// The same after everything.
    pub(crate) capacity_after: Capacity,
    pub(crate) cpu: Course,
    /// The victims' part of the server's core under the spike.
    pub(crate) victims_cpu: f64,
    /// What other processes took of the server's core before and during the fault.
    pub(crate) others_before: f64,
    pub(crate) others_during: f64,
    pub(crate) server_p99_ms: Course,
    pub(crate) server_tells: Value,
    pub(crate) idle: Option<IdleFigures>,
    pub(crate) steal: f64,
    pub(crate) real_time: bool,
    pub(crate) rate_per_s: f64,
}

impl Sum {
    /// The figures of a run with this timeline and this fault.
    pub(crate) fn figures(self, timeline: &Timeline, fault: &Fault) -> Figures {
        let whole = Span::new(fault.inject.from_ns, fault.end_ns);
        let recover = timeline.span(Phase::Recover);
        let before = timeline.summary(timeline.span(Phase::Steady));
        let during = timeline.summary(whole);
        let after = timeline.summary(Span::new(recover.from_ns + AFTER_NS, recover.to_ns));
        let course = |quantile: f64| Course {
            before: before.latency.at_ms(quantile),
            during: during.latency.at_ms(quantile),
            after: after.latency.at_ms(quantile),
        };
        let everything = timeline.summary(Span::new(timeline.begin_ns(), recover.to_ns));
        let p99_ms = course(0.99);
        let aggressor = self.aggressor(fault, whole);
        let normal_ms = timeline.worst_p99_ms(timeline.span(Phase::Steady));
        Figures {
            victims: VictimFigures {
                p50_ms: course(0.5),
                p99_ms,
                server_p99_ms: self.server_p99_ms,
                spike_p99_ms: timeline.summary(fault.inject).latency.at_ms(0.99),
                rate_per_s: self.rate_per_s,
                errors: during.errors + timeline.summary(recover).errors,
                connect_failures: during.connect_failures
                    + timeline.summary(recover).connect_failures,
                connect_p99_ms: timeline.summary(fault.hold).connect.at_ms(0.99),
            },
            storm: fault.storm,
            aggressor,
            generator: Generator {
                lag_p99_ms: everything.lag.at_ms(0.99),
                steal: self.steal,
                noise_ms: noise_ms(timeline),
                others_before: self.others_before,
                others_during: self.others_during,
                real_time: self.real_time,
            },
            // A single window's p99 is less steady than that of a phase: normal is what was seen.
            recover_ms: timeline.recovered_ms(fault.end_ns, normal_ms + P99_MORE_MS),
            idle: self.idle,
            server_cpu: self.cpu,
            server_tells: self.server_tells,
        }
    }

    fn aggressor(&self, fault: &Fault, whole: Span) -> Aggressor {
        let served = |span| Served::of(&fault.windows, span, self.capacity);
        let all = served(whole);
        let steady = self.capacity.mean(self.capacity_after);
        let victims_cpu = self.victims_cpu;
        Aggressor {
            capacity_per_s: self.capacity.per_s,
            capacity_after_per_s: self.capacity_after.per_s,
            offered: all.offered as u64,
            offered_multiple: all.multiple(self.capacity),
            served: all.requests as u64,
            served_share: served(fault.inject).share(steady, victims_cpu),
            served_share_in_storm: served(fault.hold).share(steady, victims_cpu),
            refused: all.refused as u64,
            reconnects: all.reconnects,
        }
    }
}

/// How far the victims' p99 lay apart while nothing was done to them.
fn noise_ms(timeline: &Timeline) -> f64 {
    let thirds = timeline.span(Phase::Steady).split(3);
    let p99s = thirds.map(|span| timeline.summary(span).latency.at_ms(0.99));
    let (least, most) = p99s.fold((f64::INFINITY, 0.0_f64), |(least, most), p99| {
        (least.min(p99), most.max(p99))
    });
    most - least
}

#[cfg(test)]
#[path = "sum_test.rs"]
mod tests;
