//! A run as a whole: its threads, its progress, and what they found put together.

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::error::LoadError;
use super::gate::AbandonOnDrop;
use super::op::OPS;
use super::open_door;
use super::phases::Findings;
use super::plan::{Mode, Plan};
use super::report::{
    Generator, OpReport, OpenReport, Phase, Prefill, Progress, Report, TenantReport,
};
use super::shared::{News, Newsroom, Shared};
use super::tally::{Tally, TenantTally, Timing};
use super::worker::{Stop, Worker};

/// What is left of a phase after its last full second is added up, but not worth a line of progress
/// if it is shorter than this, in nanoseconds.
const REMNANT_NS: u64 = 200_000_000;

/// Runs the plan to its end; `progress` hears of it as often as the plan says.
pub fn run(plan: &Plan, progress: &mut dyn FnMut(&Progress)) -> Result<Report, LoadError> {
    plan.validate()?;
    open_door::refuse(plan)?;
    let shared = Shared::new(plan)?;
    let (newsroom, news) = channel();
    let mut untold = |_: &Progress| {};
    let progress = match plan.progress_every {
        Some(_) => progress,
        None => &mut untold,
    };
    let (measured, findings) = thread::scope(|scope| {
        let mut threads = Vec::new();
        for index in 0..plan.threads as usize {
            let (shared, newsroom) = (&shared, newsroom.clone());
            threads.push(scope.spawn(move || run_thread(plan, shared, newsroom, index)));
        }
        drop(newsroom);
        let measured = listen(&news, plan.threads as usize, progress);
        let findings: Vec<Result<Findings, Stop>> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(Err(LoadError::ThreadLost.into())))
            .collect();
        (measured, findings)
    });
    let findings = all_or_first_error(findings)?;
    Ok(Gathering::new(measured, findings).report(plan))
}

/// One thread of a run, from its first connection to what it found.
pub(super) fn run_thread(
    plan: &Plan,
    shared: &Shared,
    newsroom: Newsroom,
    index: usize,
) -> Result<Findings, Stop> {
    let worker = Worker::new(plan, shared, newsroom, index).inspect_err(|_| {
        drop(AbandonOnDrop(&shared.gate));
    })?;
    worker.run(index)
}

/// Adds up what was measured, and tells progress whenever each thread has sent news.
fn listen(news: &Receiver<News>, threads: usize, progress: &mut dyn FnMut(&Progress)) -> Tally {
    let mut measured = Tally::new();
    let mut recent: Vec<News> = Vec::new();
    for item in news {
        if recent
            .first()
            .is_some_and(|first| first.phase != item.phase)
        {
            tell(&mut recent, &mut measured, progress);
        }
        recent.push(item);
        if recent.len() >= threads {
            tell(&mut recent, &mut measured, progress);
        }
    }
    tell(&mut recent, &mut measured, progress);
    measured
}

fn tell(recent: &mut Vec<News>, measured: &mut Tally, progress: &mut dyn FnMut(&Progress)) {
    let Some(first) = recent.first() else {
        return;
    };
    let phase = first.phase;
    let elapsed_ns = recent.iter().map(|it| it.elapsed_ns).max().unwrap_or(0);
    let span_ns = recent.iter().map(|it| it.span_ns).max().unwrap_or(0);
    let mut sum = Tally::new();
    for news in recent.drain(..) {
        sum.merge(news.tally);
    }
    let is_remnant = span_ns < elapsed_ns && span_ns < REMNANT_NS;
    if !is_remnant {
        progress(&progress_of(phase, elapsed_ns, span_ns, &sum));
    }
    if matches!(phase, Phase::Measure | Phase::Hold) {
        measured.merge(sum);
    }
}

fn progress_of(phase: Phase, elapsed_ns: u64, span_ns: u64, sum: &Tally) -> Progress {
    let (hits, misses) = sum.hits_and_misses();
    let latency = sum.latency().summary();
    Progress {
        phase,
        elapsed_s: elapsed_ns as f64 / 1e9,
        requests: sum.requests(),
        ops_per_s: sum.requests() as f64 * 1e9 / span_ns.max(1) as f64,
        hits,
        misses,
        errors: sum.errors.total(),
        reconnects: sum.reconnects,
        p50_us: latency.p50_us,
        p99_us: latency.p99_us,
    }
}

fn all_or_first_error(all: Vec<Result<Findings, Stop>>) -> Result<Vec<Findings>, LoadError> {
    let mut findings = Vec::new();
    let mut was_abandoned = false;
    for result in all {
        match result {
            Ok(found) => findings.push(found),
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Abandoned) => was_abandoned = true,
        }
    }
    if was_abandoned {
        return Err(LoadError::ThreadLost);
    }
    Ok(findings)
}

/// What all threads found, added up.
struct Gathering {
    measured: Tally,
    tenants: Vec<TenantTally>,
    first_error: Option<String>,
    connect: Timing,
    generator: Generator,
    open: OpenReport,
    hold: super::report::HoldReport,
    prefill: Prefill,
    elapsed_s: f64,
}

impl Gathering {
    fn new(measured: Tally, findings: Vec<Findings>) -> Self {
        let mut all = Self {
            measured,
            tenants: Vec::new(),
            first_error: None,
            connect: Timing::fine(),
            generator: Generator::default(),
            open: OpenReport::default(),
            hold: Default::default(),
            prefill: Prefill::default(),
            elapsed_s: 0.0,
        };
        for found in findings {
            all.add(found);
        }
        all.generator.lag = all.measured.lag.summary();
        all
    }

    fn add(&mut self, found: Findings) {
        for (index, tenant) in found.tenants.into_iter().enumerate() {
            match self.tenants.get_mut(index) {
                Some(sum) => sum.merge(tenant),
                None => self.tenants.push(tenant),
            }
        }
        self.first_error = self.first_error.take().or(found.first_error);
        self.connect.merge(found.connect);
        self.generator.cpu_s += found.thread.cpu_s;
        self.generator.busy = self.generator.busy.max(found.thread.busy);
        self.generator.threads.push(found.thread);
        if !found.outside.others.is_empty() {
            self.generator.outside = found.outside;
        }
        self.open.due += found.open.due;
        self.open.waited += found.open.waited;
        self.open.unsent += found.open.unsent;
        self.hold.opened += found.hold.opened;
        self.hold.alive += found.hold.alive;
        self.prefill.items += found.filled;
        self.prefill.elapsed_s = self.prefill.elapsed_s.max(found.fill_ns as f64 / 1e9);
        self.elapsed_s = self.elapsed_s.max(found.measured_ns as f64 / 1e9);
    }

    fn report(mut self, plan: &Plan) -> Report {
        let (hits, misses) = self.measured.hits_and_misses();
        let latency = self.measured.latency();
        let requests = self.measured.requests();
        self.open.rate_asked_per_s = match plan.mode {
            Mode::Open { rate_per_s, .. } => rate_per_s,
            Mode::Closed => 0.0,
        };
        let is_open = plan.hold.is_none() && plan.mode != Mode::Closed;
        Report {
            protocol: plan.protocol.to_string(),
            mode: match (plan.hold, plan.mode) {
                (Some(_), _) => "hold",
                (None, Mode::Closed) => "closed",
                (None, Mode::Open { .. }) => "open",
            },
            connections: plan.connections,
            pipeline: plan.pipeline,
            seed: plan.seed,
            elapsed_s: self.elapsed_s,
            requests,
            ops_per_s: per_second(requests, self.elapsed_s),
            keys_read: hits + misses,
            hits,
            misses,
            bytes_sent: self.measured.bytes_sent,
            bytes_received: self.measured.bytes_received,
            errors: self.measured.errors,
            first_error: self.first_error.take(),
            reconnects: self.measured.reconnects,
            latency: latency.summary(),
            connect: self.connect.summary(),
            by_op: self.by_op(),
            by_tenant: self.by_tenant(plan),
            prefill: plan.prefill.then_some(self.prefill),
            open: is_open.then_some(self.open),
            hold: plan.hold.map(|_| self.hold),
            histogram: plan.dump_histogram.then(|| latency.dump()).flatten(),
            generator: self.generator,
        }
    }

    fn by_op(&self) -> Vec<OpReport> {
        let tallies = OPS.iter().zip(&self.measured.ops);
        tallies
            .filter(|(_, tally)| tally.requests + tally.errors > 0)
            .map(|(op, tally)| OpReport {
                op: op.name(),
                requests: tally.requests,
                hits: tally.hits,
                misses: tally.misses,
                errors: tally.errors,
                latency: tally.latency.summary(),
            })
            .collect()
    }

    fn by_tenant(&self, plan: &Plan) -> Vec<TenantReport> {
        let tallies = plan.tenants.iter().zip(&self.tenants);
        tallies
            .map(|(login, tally)| TenantReport {
                tenant: login.username.clone(),
                requests: tally.requests,
                ops_per_s: per_second(tally.requests, self.elapsed_s),
                hits: tally.hits,
                misses: tally.misses,
                errors: tally.errors,
                reconnects: tally.reconnects,
                latency: tally.latency.summary(),
            })
            .collect()
    }
}

fn per_second(count: u64, elapsed_s: f64) -> f64 {
    if elapsed_s > 0.0 {
        count as f64 / elapsed_s
    } else {
        0.0
    }
}
