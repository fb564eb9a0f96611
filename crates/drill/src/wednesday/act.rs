//! Does one thing to a fleet under load, and notes what is seen.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::Signal;

use super::admin::View;
use super::busy::Busy;
use super::clients::Clients;
use super::fleet::{Fleet, signal};
use super::rest::{Rest, Step, Waited};
use super::samples::{Sample, Stretch};
use super::scenario::{Case, Fault, Judge, Wanted};
use super::seen::Seen;
use super::unrest::unrest;
use crate::child::Child;
use crate::error::DrillError;
use crate::load::clock;
use crate::machine::Ticks;
use crate::proxy::Faults;

const LOOK_EVERY_NS: u64 = 100_000_000;
const SECOND_NS: u64 = 1_000_000_000;
/// Of each 45 ms a slow gateway runs 15.
const RUNS_NS: u64 = 15_000_000;
const STANDS_NS: u64 = 30_000_000;

/// Until a node that nobody tests has joined and has its keys.
const JOINING: Duration = Duration::from_secs(8);

/// How long the parts take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Until what is usual is known.
    pub(crate) settle: Duration,
    pub(crate) before: Duration,
    pub(crate) after: Duration,
    /// How long a control without any judge is looked at, and what must not happen is waited for.
    pub(crate) look: Duration,
}

/// When the fault began, what was waited for came, and the clients were asked to stop.
#[derive(Clone, Copy)]
struct Times {
    begun_ns: u64,
    done_ns: u64,
    end_ns: u64,
}

/// One thing that is done.
pub(crate) struct Act<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) case: &'a Case,
    pub(crate) judge: Judge,
    pub(crate) pace: Pace,
    pub(crate) seed: u64,
    pub(crate) interrupted: &'a AtomicBool,
    /// What the run may still wait for the machine.
    pub(crate) rest: &'a mut Rest,
    pub(crate) progress: &'a mut dyn FnMut(&str),
}

impl Act<'_> {
    pub(crate) fn play(&mut self) -> Result<Seen, DrillError> {
        let addresses: Vec<_> = self.fleet.gateways.iter().map(|it| it.address).collect();
        let (middle, value_len) = (self.fleet.site.middle(), self.case.fault.value_len());
        let clients = middle.within(|| Clients::start(&addresses, value_len, self.seed))?;
        self.wait(self.pace.settle)?;
        let ticks = self.come_to_rest(&clients)?;
        let begun_ns = clock::now_ns();
        let mut watch = Watch::new(self.fleet, clock::unix_ms(), self.targets());
        watch.look_before();
        let fault = Running::begin(self.fleet, &self.case.fault, &addresses)?;
        self.watch(&mut watch)?;
        let done_ns = clock::now_ns();
        if self.case.wanted == Wanted::Back {
            fault.end()?;
            // Who was never out is well at once, which says nothing.
            if !watch.seen.ejected.is_empty() {
                self.watch_back(&mut watch)?;
            }
        } else {
            // What was just decided reaches all within this.
            self.wait(Duration::from_secs(1) + self.pace.after)?;
            watch.look();
            fault.end()?;
        }
        let times = Times {
            begun_ns,
            done_ns,
            end_ns: clock::now_ns(),
        };
        Ok(self.seen(&clients.finish(), watch, times, ticks))
    }

    /// Waits until what is usual is known, and the machine leaves the drill alone, but not for ever; the ticks
    /// at the beginning of what is usual.
    fn come_to_rest(&mut self, clients: &Clients) -> Result<Ticks, DrillError> {
        let mut waited = Waited::default();
        loop {
            let (ticks, from_ns) = (Ticks::now(), clock::now_ns());
            self.wait(self.pace.before)?;
            if self.judge == Judge::Naive {
                // A rule that takes nodes out for what is usual would do so while it is waited for.
                return Ok(ticks);
            }
            let before = Stretch::of(&clients.since(from_ns), from_ns, clock::now_ns());
            let unrest = unrest(self.case, &before, Ticks::now().steal_since(ticks));
            match self.rest.step(&mut waited, &unrest, self.pace.before) {
                Step::Begin(words) => {
                    words.iter().for_each(|words| (self.progress)(words));
                    return Ok(ticks);
                }
                Step::Wait(words) => words.iter().for_each(|words| (self.progress)(words)),
            }
        }
    }

    /// The bad nodes' names.
    fn targets(&self) -> Vec<String> {
        let targets = self.case.fault.targets().into_iter();
        targets.filter_map(|node| self.fleet.name(node)).collect()
    }

    fn seen(&self, samples: &[Sample], watch: Watch<'_>, times: Times, ticks: Ticks) -> Seen {
        let Times {
            begun_ns,
            done_ns,
            end_ns,
        } = times;
        let before_ns = begun_ns - self.pace.before.as_nanos() as u64;
        Seen {
            before: Stretch::of(samples, before_ns, begun_ns),
            since: Stretch::of(samples, begun_ns, end_ns),
            after: Stretch::of(samples, done_ns + SECOND_NS, end_ns),
            hit_ratio_min: Stretch::hit_ratio_min(samples, begun_ns, end_ns),
            steal: Ticks::now().steal_since(ticks),
            stack: self.fleet.site.stack,
            ..watch.seen
        }
    }

    /// Until what is wanted has come, or the time is up; for what must not come, all the time.
    fn watch(&self, watch: &mut Watch<'_>) -> Result<(), DrillError> {
        let targets = watch.seen.targets.len();
        let patience = match (self.judge, self.case.wanted) {
            (Judge::Off, Wanted::Refused) => self.pace.look + JOINING,
            (Judge::Off, _) | (_, Wanted::NobodyOut) => self.pace.look,
            _ => self.case.patience,
        };
        let until_ns = clock::now_ns() + patience.as_nanos() as u64;
        while clock::now_ns() < until_ns {
            self.wait(Duration::from_nanos(LOOK_EVERY_NS))?;
            watch.look();
            let seen = &watch.seen;
            let has_event = |kind: &str| seen.notices.iter().any(|it| it.0 == kind);
            let is_done = match self.case.wanted {
                Wanted::TakenOut | Wanted::Back => seen.is_target_out(),
                Wanted::Found(_) => seen.detected().is_some(),
                Wanted::NobodyOut => !seen.ejected.is_empty(),
                Wanted::FleetSlow => has_event("fleet_slow") || !seen.ejected.is_empty(),
                Wanted::CapHolds => has_event("cap_holds") || seen.ejected.len() >= targets,
                Wanted::Refused => !seen.refused.is_empty(),
            };
            if is_done {
                return Ok(());
            }
        }
        Ok(())
    }

    fn watch_back(&self, watch: &mut Watch<'_>) -> Result<(), DrillError> {
        let (began_ns, began_ms) = (clock::now_ns(), clock::unix_ms());
        while clock::now_ns() - began_ns < self.case.patience.as_nanos() as u64 {
            self.wait(Duration::from_nanos(2 * LOOK_EVERY_NS))?;
            if watch.look().is_some_and(|view| view.is_well()) {
                watch.seen.back_ms = Some(clock::unix_ms().saturating_sub(began_ms));
                // What it had before must not come back with it.
                return self.wait(self.pace.after);
            }
        }
        Ok(())
    }

    fn wait(&self, time: Duration) -> Result<(), DrillError> {
        let until_ns = clock::now_ns() + time.as_nanos() as u64;
        while clock::now_ns() < until_ns {
            if self.interrupted.load(Ordering::Acquire) {
                return Err(DrillError::Interrupted);
            }
            clock::sleep_until(until_ns.min(clock::now_ns() + LOOK_EVERY_NS));
        }
        Ok(())
    }
}

/// What gateways tell, since the fault.
struct Watch<'a> {
    fleet: &'a Fleet,
    began_ms: u64,
    busy: Busy,
    seen: Seen,
}

impl<'a> Watch<'a> {
    fn new(fleet: &'a Fleet, began_ms: u64, targets: Vec<String>) -> Self {
        Self {
            fleet,
            began_ms,
            busy: Busy::from_now(fleet),
            // When it is over depends on whom it is about.
            seen: Seen {
                targets,
                ..Seen::default()
            },
        }
    }

    /// Who is out before anything is done.
    fn look_before(&mut self) {
        let views = self.fleet.gateways.iter();
        let views: Vec<View> = views.filter_map(|it| it.admin.judging()).collect();
        for node in views.iter().flat_map(|view| &view.nodes) {
            let is_known = self.seen.out_before.iter().any(|it| it.0 == node.name);
            if !is_known && node.is_out() {
                let at_ms = node.past.last().map_or(self.began_ms, |it| it.0);
                let before_ms = self.began_ms.saturating_sub(at_ms);
                self.seen.out_before.push((node.name.clone(), before_ms));
            }
        }
    }

    /// Asks both gateways, since one may be slow; what the first said.
    fn look(&mut self) -> Option<View> {
        let views = self.fleet.gateways.iter();
        let views: Vec<View> = views.filter_map(|it| it.admin.judging()).collect();
        for view in &views {
            self.take(view);
        }
        if self.seen.busy.is_none() {
            self.seen.busy = self.busy.node();
        }
        views.into_iter().next()
    }

    fn take(&mut self, view: &View) {
        let mut out = BTreeSet::new();
        for node in &view.nodes {
            for (at_ms, state) in node.past.iter().filter(|it| it.0 >= self.began_ms) {
                let after_ms = at_ms - self.began_ms;
                let list = match state.as_str() {
                    "suspect" => &mut self.seen.suspected,
                    "ejected" => &mut self.seen.ejected,
                    _ => continue,
                };
                if !list.iter().any(|(name, _)| *name == node.name) {
                    list.push((node.name.clone(), after_ms));
                }
            }
            if node.share > 0 {
                self.seen.served.insert(node.name.clone());
            }
            if node.is_out() {
                out.insert(&node.name);
            }
        }
        self.seen.out_max = self.seen.out_max.max(out.len());
        for (name, at_ms) in view.refused.iter().filter(|it| it.1 >= self.began_ms) {
            if !self.seen.refused.iter().any(|it| it.0 == *name) {
                let after_ms = at_ms - self.began_ms;
                self.seen.refused.push((name.clone(), after_ms));
            }
        }
        for (kind, at_ms, members) in &view.notices {
            if *at_ms < self.began_ms || self.seen.notices.iter().any(|it| it.0 == *kind) {
                continue;
            }
            let after_ms = at_ms - self.began_ms;
            self.seen
                .notices
                .push((kind.clone(), after_ms, members.clone()));
        }
    }
}

/// A fault, until its end; who was killed stays so.
struct Running<'a> {
    fleet: &'a Fleet,
    fault: &'a Fault,
    _heat: Option<Clients>,
    _newcomer: Option<Child>,
    slow: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl<'a> Running<'a> {
    fn begin(
        fleet: &'a Fleet,
        fault: &'a Fault,
        gateways: &[std::net::SocketAddr],
    ) -> Result<Self, DrillError> {
        let mut running = Self {
            fleet,
            fault,
            _heat: None,
            _newcomer: None,
            slow: None,
        };
        match fault {
            Fault::Ways(nodes, faults) => {
                for node in nodes.iter().filter_map(|node| fleet.nodes.get(*node)) {
                    node.way.set(faults)?;
                }
            }
            Fault::SlowGateway(gateway) => {
                let (stop, pid) = (
                    Arc::new(AtomicBool::new(false)),
                    fleet.gateway_pid(*gateway),
                );
                let stopped = Arc::clone(&stop);
                let thread = thread::spawn(move || {
                    while !stopped.load(Ordering::Acquire) {
                        signal(pid, Signal::STOP);
                        clock::sleep_until(clock::now_ns() + STANDS_NS);
                        signal(pid, Signal::CONT);
                        clock::sleep_until(clock::now_ns() + RUNS_NS);
                    }
                });
                running.slow = Some((stop, thread));
            }
            Fault::HotKey => {
                let middle = fleet.site.middle();
                running._heat = Some(middle.within(|| Ok(Clients::heat(gateways)))?);
            }
            Fault::Killed(node) => signal(fleet.node_pid(*node), Signal::KILL),
            Fault::Hung(node) => signal(fleet.node_pid(*node), Signal::STOP),
            Fault::Joins(faults) => running._newcomer = Some(fleet.admit_spare(faults)?),
        }
        Ok(running)
    }

    /// Mends the ways, which those whom nobody asks for it need not have: their fleet goes with them.
    fn end(self) -> Result<(), DrillError> {
        if let Fault::Ways(nodes, _) = self.fault {
            for node in nodes.iter().filter_map(|node| self.fleet.nodes.get(*node)) {
                node.way.set(&Faults::default())?;
            }
        }
        Ok(())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Fault::Hung(node) = self.fault {
            signal(self.fleet.node_pid(*node), Signal::CONT);
        }
        if let Some((stop, thread)) = self.slow.take() {
            stop.store(true, Ordering::Release);
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}
