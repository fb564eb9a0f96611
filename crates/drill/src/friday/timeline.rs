//! What the victims saw, window by window, and its sums over the phases of a drill.

use std::fmt;

use crate::load::Timing;

/// The phases of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing but the victims.
    Steady,
    /// Idle connections are held besides.
    Idle,
    /// The fault begins: the spike.
    Inject,
    /// The fault at its worst: spike and storm.
    Hold,
    /// The fault has ended.
    Recover,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steady => "steady",
            Self::Idle => "idle",
            Self::Inject => "inject",
            Self::Hold => "hold",
            Self::Recover => "recover",
        })
    }
}

/// A stretch of time, in nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from_ns: u64,
    pub(crate) to_ns: u64,
}

impl Span {
    /// From one time to another.
    pub(crate) fn new(from_ns: u64, to_ns: u64) -> Self {
        Self { from_ns, to_ns }
    }

    /// The same time in `parts` of equal length.
    pub(crate) fn split(self, parts: u64) -> impl Iterator<Item = Self> {
        let part_ns = self.to_ns.saturating_sub(self.from_ns) / parts.max(1);
        (0..parts).map(move |number| {
            let from_ns = self.from_ns + number * part_ns;
            Self::new(from_ns, from_ns + part_ns)
        })
    }

    /// Whether the middle of the other lies within.
    fn has(self, other: Self) -> bool {
        let middle = other.from_ns + other.to_ns.saturating_sub(other.from_ns) / 2;
        (self.from_ns..self.to_ns).contains(&middle)
    }
}

/// What the victims saw in one window.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) span: Span,
    pub(crate) latency: Timing,
    pub(crate) lag: Timing,
    pub(crate) requests: u64,
    /// Requests that got no right answer: timeouts, lost connections, errors, and misses of what
    /// must be there.
    pub(crate) errors: u64,
    /// Connections that could not be opened, or not authenticated.
    pub(crate) connect_failures: u64,
    pub(crate) reconnects: u64,
}

impl Seen {
    /// Whether no connection broke: after that a generator has to catch up with what was due
    /// meanwhile, and its lag tells of the server.
    fn is_smooth(&self) -> bool {
        self.errors + self.connect_failures + self.reconnects == 0
    }
}

/// One fresh connect and login of a victim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Probe {
    pub(crate) due_ns: u64,
    pub(crate) took_ns: u64,
    pub(crate) failed: bool,
}

/// What the victims saw in a stretch of time.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) latency: Timing,
    pub(crate) lag: Timing,
    pub(crate) connect: Timing,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) connect_failures: u64,
    pub(crate) reconnects: u64,
}

/// One point of a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Since the first window.
    pub(crate) at_s: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) errors: u64,
    /// Whether anything was answered, or given up.
    pub(crate) has_latency: bool,
}

/// Everything that the victims saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    windows: Vec<Seen>,
    probes: Vec<Probe>,
    phases: Vec<(Phase, Span)>,
}

/// So many windows in a row must be normal before the victims count as recovered.
const NORMAL_IN_A_ROW: usize = 5;

impl Timeline {
    /// A further window; they come in order.
    pub(crate) fn see(&mut self, seen: Seen) {
        self.windows.push(seen);
    }

    /// A further fresh connect.
    pub(crate) fn probe(&mut self, probe: Probe) {
        self.probes.push(probe);
    }

    /// A phase that is over.
    pub(crate) fn phase(&mut self, phase: Phase, span: Span) {
        self.phases.push((phase, span));
    }

    /// The phases so far.
    pub(crate) fn phases(&self) -> &[(Phase, Span)] {
        &self.phases
    }

    /// When a phase was; nothing if it was not.
    pub(crate) fn span(&self, phase: Phase) -> Span {
        let mut all = self.phases.iter().filter(|(it, _)| *it == phase);
        all.next().map_or_else(Span::default, |(_, span)| *span)
    }

    /// The latest window.
    pub(crate) fn last(&self) -> Option<&Seen> {
        self.windows.last()
    }

    /// What was seen within `span`.
    pub(crate) fn summary(&self, span: Span) -> Summary {
        let mut sum = Summary {
            latency: Timing::fine(),
            lag: Timing::fine(),
            connect: Timing::fine(),
            requests: 0,
            errors: 0,
            connect_failures: 0,
            reconnects: 0,
        };
        for seen in self.windows.iter().filter(|seen| span.has(seen.span)) {
            sum.latency.merge(seen.latency.clone());
            if seen.is_smooth() {
                sum.lag.merge(seen.lag.clone());
            }
            sum.requests += seen.requests;
            sum.errors += seen.errors;
            sum.connect_failures += seen.connect_failures;
            sum.reconnects += seen.reconnects;
        }
        let during = span.from_ns..span.to_ns;
        for probe in self.probes.iter().filter(|it| during.contains(&it.due_ns)) {
            sum.connect.record(probe.took_ns);
            sum.connect_failures += u64::from(probe.failed);
        }
        sum
    }

    /// How long after `end_ns` the victims' windows are normal again (p99 at most `p99_ms`, no
    /// errors) and stay so for half a second; `None` if never.
    pub(crate) fn recovered_ms(&self, end_ns: u64, p99_ms: f64) -> Option<f64> {
        let after: Vec<&Seen> = self
            .windows
            .iter()
            .filter(|seen| seen.span.to_ns > end_ns)
            .collect();
        let is_normal = |seen: &&Seen| {
            seen.requests > 0
                && seen.errors + seen.connect_failures == 0
                && seen.latency.at_ms(0.99) <= p99_ms
        };
        let found = after
            .windows(NORMAL_IN_A_ROW)
            .find(|row| row.iter().all(is_normal))?;
        let first = found.first()?;
        Some(first.span.from_ns.saturating_sub(end_ns) as f64 / 1e6)
    }

    /// The highest p99 of any window within `span`, in milliseconds.
    pub(crate) fn worst_p99_ms(&self, span: Span) -> f64 {
        let within = self.windows.iter().filter(|seen| span.has(seen.span));
        within
            .map(|seen| seen.latency.at_ms(0.99))
            .fold(0.0, f64::max)
    }

    /// When the first window began.
    pub(crate) fn begin_ns(&self) -> u64 {
        self.windows.first().map_or(0, |seen| seen.span.from_ns)
    }

    /// One point for each window.
    pub(crate) fn points(&self) -> Vec<Point> {
        let begin_ns = self.begin_ns();
        let point = |seen: &Seen| Point {
            at_s: seen.span.to_ns.saturating_sub(begin_ns) as f64 / 1e9,
            p50_ms: seen.latency.at_ms(0.5),
            p99_ms: seen.latency.at_ms(0.99),
            errors: seen.errors + seen.connect_failures,
            has_latency: seen.latency.at_ms(1.0) > 0.0,
        };
        self.windows.iter().map(point).collect()
    }
}

#[cfg(test)]
#[path = "timeline_test.rs"]
mod tests;
