//! The phases that a thread goes through: connect, store every key, load or hold, report.

use std::time::Duration;

use super::clock;
use super::connection::{Flight, Stage};
use super::error::LoadError;
use super::gate::AbandonOnDrop;
use super::op::Op;
use super::outside::Witness;
use super::plan::Mode;
use super::report::{HoldReport, OpenReport, Outside, Phase, ThreadReport};
use super::tally::{TenantTally, Timing};
use super::worker::{Stop, Work, Worker, nanos};

/// How long before measuring it is looked who else is on the machine: the generator is late after that.
const LOOK_AHEAD_NS: u64 = 25_000_000;

/// What a thread found, apart from the news that it sent meanwhile.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) tenants: Vec<TenantTally>,
    pub(crate) first_error: Option<String>,
    pub(crate) connect: Timing,
    pub(crate) thread: ThreadReport,
    pub(crate) outside: Outside,
    pub(crate) open: OpenReport,
    pub(crate) hold: HoldReport,
    /// Items stored before the run, and the time it took.
    pub(crate) filled: u64,
    pub(crate) fill_ns: u64,
    /// From the begin of measuring to the last reply.
    pub(crate) measured_ns: u64,
}

impl Worker<'_> {
    /// Goes through all phases, in step with the other threads.
    pub(crate) fn run(mut self, index: usize) -> Result<Findings, Stop> {
        let gate = &self.shared.gate;
        let _guard = AbandonOnDrop(gate);
        self.begin(Phase::Connect, gate.wait()?, false);
        self.run_while(|worker| worker.down.len() + worker.opening > 0)?;
        let mut findings = self.empty_findings();
        if self.plan.prefill {
            self.begin(Phase::Prefill, gate.wait()?, false);
            self.fill(&mut findings)?;
        }
        match self.plan.hold {
            Some(hold) => self.hold(hold, &mut findings)?,
            None => self.load(index, &mut findings)?,
        }
        self.send_news(clock::now_ns());
        findings.tenants = std::mem::take(&mut self.recorder.tenants);
        findings.first_error = self.recorder.first_error.take();
        findings.connect = std::mem::replace(&mut self.recorder.connect, Timing::fine());
        gate.wait()?;
        Ok(findings)
    }

    fn empty_findings(&self) -> Findings {
        Findings {
            tenants: Vec::new(),
            first_error: None,
            connect: Timing::fine(),
            thread: ThreadReport::default(),
            outside: Outside::default(),
            open: OpenReport::default(),
            hold: HoldReport::default(),
            filled: 0,
            fill_ns: 0,
            measured_ns: 0,
        }
    }

    fn fill(&mut self, findings: &mut Findings) -> Result<(), Stop> {
        let mut asked = 0;
        for connection in &self.connections {
            asked += connection.fill.end - connection.fill.start;
        }
        self.work = Work::Fill;
        self.start_all();
        self.run_while(|worker| {
            let mut connections = worker.connections.iter();
            worker.recorder.first_error.is_none()
                && connections.any(|it| !it.fill.is_empty() || !it.flights.is_empty())
        })?;
        self.work = Work::Idle;
        findings.filled = self.recorder.stored;
        findings.fill_ns = clock::now_ns().saturating_sub(self.phase_began_ns);
        if findings.filled == asked {
            return Ok(());
        }
        let first_error = self.recorder.first_error.take();
        Err(Stop::Error(LoadError::Prefill {
            stored: findings.filled,
            asked,
            first_error: first_error.unwrap_or_else(|| "no reply".into()),
        }))
    }

    fn load(&mut self, index: usize, findings: &mut Findings) -> Result<(), Stop> {
        // One thread looks for all.
        let mut witness = (index == 0).then(Witness::new);
        let began_ns = self.shared.gate.wait()?;
        let measure_ns = began_ns.saturating_add(nanos(self.plan.warmup));
        let until_ns = measure_ns.saturating_add(nanos(self.plan.duration));
        if !self.plan.warmup.is_zero() {
            self.begin(Phase::Warmup, began_ns, false);
            self.start_load(began_ns, until_ns);
            let look_ns = measure_ns.saturating_sub(LOOK_AHEAD_NS);
            self.run_while(|_| clock::now_ns() < look_ns)?;
            if let Some(witness) = &mut witness {
                witness.begin();
            }
            self.run_while(|_| clock::now_ns() < measure_ns)?;
        }
        let measure_ns = match self.plan.requests {
            // What left in the last moment of the warm-up is none of those that are to be counted.
            Some(_) if !self.plan.warmup.is_zero() => clock::now_ns().saturating_add(1),
            _ => measure_ns,
        };
        self.begin(Phase::Measure, measure_ns, true);
        self.budget = self.share_of_requests(index);
        let cpu_ns = clock::thread_cpu_ns();
        if let Some(open) = &mut self.open {
            open.begin(measure_ns);
        }
        if self.plan.warmup.is_zero() {
            self.start_load(began_ns, until_ns);
        }
        self.run_while(|worker| worker.has_more(clock::now_ns(), until_ns))?;
        if let Some(witness) = &mut witness {
            findings.outside = witness.end();
        }
        self.work = Work::Idle;
        self.run_while(|worker| worker.awaits(clock::now_ns(), until_ns))?;
        self.give_up_the_rest();

        let finished_ns = clock::now_ns();
        let wall_ns = finished_ns.saturating_sub(measure_ns);
        findings.measured_ns = match self.plan.requests {
            Some(_) => self.recorder.last_ns.saturating_sub(measure_ns),
            None => wall_ns,
        };
        let cpu_ns = clock::thread_cpu_ns().saturating_sub(cpu_ns);
        let open = self.open.take();
        let spin_ns = open.as_ref().map_or(0, |open| open.spin_ns).min(cpu_ns);
        findings.thread = ThreadReport {
            cpu_s: cpu_ns as f64 / 1e9,
            spin_s: spin_ns as f64 / 1e9,
            busy: (cpu_ns - spin_ns) as f64 / wall_ns.max(1) as f64,
        };
        if let Some(open) = open {
            findings.open = open.report;
        }
        Ok(())
    }

    fn start_load(&mut self, began_ns: u64, until_ns: u64) {
        match self.plan.mode {
            Mode::Closed => self.work = Work::Closed { until_ns },
            Mode::Open { .. } => {
                self.work = Work::Open;
                if let Some(open) = &mut self.open {
                    open.start(began_ns, until_ns);
                }
            }
        }
        self.start_all();
    }

    /// This thread's part of the requests that the plan allows.
    fn share_of_requests(&self, index: usize) -> u64 {
        let threads = u64::from(self.plan.threads);
        match self.plan.requests {
            None => u64::MAX,
            Some(all) => all / threads + u64::from((index as u64) < all % threads),
        }
    }

    /// Whether requests are still to be sent.
    fn has_more(&self, now_ns: u64, until_ns: u64) -> bool {
        let has_more = match &self.open {
            Some(open) => open.has_due(),
            None => now_ns < until_ns,
        };
        has_more && self.budget > 0 && !self.is_too_late(now_ns, until_ns)
    }

    /// Whether requests are still to be answered.
    fn awaits(&self, now_ns: u64, until_ns: u64) -> bool {
        let mut connections = self.connections.iter();
        connections.any(|it| !it.flights.is_empty()) && !self.is_too_late(now_ns, until_ns)
    }

    fn is_too_late(&self, now_ns: u64, until_ns: u64) -> bool {
        now_ns >= until_ns.saturating_add(nanos(self.plan.timeout))
    }

    /// Requests that never were answered, or never were sent, are as slow as the run was long.
    fn give_up_the_rest(&mut self) {
        let now_ns = clock::now_ns();
        for connection in &mut self.connections {
            for flight in connection.flights.drain(..) {
                self.recorder.gave_up(connection.tenant, &flight, now_ns);
            }
        }
        if let Some(open) = &mut self.open {
            open.count_unsent(self.budget, now_ns, &mut self.recorder);
        }
    }

    fn hold(&mut self, hold: Duration, findings: &mut Findings) -> Result<(), Stop> {
        let began_ns = self.shared.gate.wait()?;
        self.begin(Phase::Measure, began_ns, true);
        let cpu_ns = clock::thread_cpu_ns();
        for index in 0..self.connections.len() {
            self.get_once(index);
        }
        self.run_while(|worker| worker.connections.iter().any(|it| !it.flights.is_empty()))?;
        self.send_news(clock::now_ns());
        findings.hold.opened = self.ready_count();
        findings.measured_ns = clock::now_ns().saturating_sub(began_ns);

        let held_ns = self.shared.gate.wait()?;
        self.begin(Phase::Hold, held_ns, true);
        let until_ns = held_ns.saturating_add(nanos(hold));
        self.run_while(|_| clock::now_ns() < until_ns)?;
        findings.hold.alive = self.ready_count();
        findings.thread.cpu_s = clock::thread_cpu_ns().saturating_sub(cpu_ns) as f64 / 1e9;
        Ok(())
    }

    fn get_once(&mut self, index: usize) {
        let now_ns = clock::now_ns();
        let connection = &mut self.connections[index];
        let id = connection.draw.next(&mut self.rng);
        let flight = Flight {
            op: Op::Get,
            keys: 1,
            id,
            due_ns: now_ns,
            sent_ns: now_ns,
        };
        connection.push(&mut self.encoder, flight, &[id]);
        self.flush(index, now_ns);
    }

    fn ready_count(&self) -> u64 {
        let ready = self.connections.iter();
        ready.filter(|it| it.stage == Stage::Ready).count() as u64
    }

    fn start_all(&mut self) {
        let now_ns = clock::now_ns();
        for index in 0..self.connections.len() {
            self.refill(index, now_ns);
        }
    }

    fn begin(&mut self, phase: Phase, now_ns: u64, is_measured: bool) {
        if self.news_sent_ns > 0 {
            self.send_news(now_ns);
        }
        self.phase = phase;
        self.phase_began_ns = now_ns;
        self.news_sent_ns = now_ns;
        self.recorder.begin(now_ns, is_measured);
    }
}
