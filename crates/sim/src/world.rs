//! Lets time pass: clients, network and server, each acting when its time has come.

use std::time::Duration;

use base::Timestamp;
use gateway::ConnectionFigures;

use crate::clients::{Clients, Outside};
use crate::event::{Event, EventQueue};
use crate::network::Network;
use crate::scenario::{Cue, Report, Scenario};
use crate::server::Server;
use crate::trace::Trace;

/// When every run begins.
const BEGINNING: Timestamp = Timestamp::from_secs(1_000_000);
/// How long the server has, after everybody has left, to let go of what it holds for them. Longer
/// than any of its timeouts.
const AFTERMATH: Duration = Duration::from_secs(70);

pub(crate) struct World {
    scenario: Scenario,
    now: Timestamp,
    events: EventQueue,
    network: Network,
    clients: Clients,
    server: Server,
    timetable: Vec<(Timestamp, Act)>,
    /// By tenant, and then by second.
    figures: Vec<Vec<ConnectionFigures>>,
    trace: Trace,
}

/// Something on the run's timetable.
#[derive(Clone, Debug)]
enum Act {
    Cue(Cue),
    Leave(usize),
    /// A second has passed.
    Sample,
}

impl World {
    pub(crate) fn new(scenario: Scenario) -> Result<Self, String> {
        let mut events = EventQueue::default();
        let network = Network::new(scenario.network, BEGINNING, scenario.server.loops);
        let clients = Clients::new(
            scenario.seed,
            BEGINNING,
            &scenario.groups,
            &scenario.tenants,
            scenario.network,
            &mut events,
        );
        let server = Server::new(
            scenario.server.clone(),
            &scenario.tenants,
            scenario.seed,
            BEGINNING,
        )?;
        let timetable = timetable(&scenario);
        for (index, (at, _)) in timetable.iter().enumerate() {
            events.add(*at, Event::Cue(index as u32));
        }
        Ok(Self {
            now: BEGINNING,
            events,
            network,
            clients,
            server,
            timetable,
            figures: vec![Vec::new(); scenario.tenants.len()],
            trace: Trace::new(),
            scenario,
        })
    }

    pub(crate) fn run(mut self) -> Result<Report, String> {
        self.run_until(BEGINNING + self.scenario.length);
        self.network.settle_figures(self.now);
        let trace = (self.trace, self.server.trace());
        for group in 0..self.scenario.groups.len() {
            self.leave(group);
        }
        self.run_until(self.now + AFTERMATH);
        let groups = self.clients.groups().iter();
        let mut hash = trace.0;
        hash.add(trace.1.hash());
        Ok(Report {
            seed: self.scenario.seed,
            groups: groups
                .map(|state| (state.group.name, state.timeline.clone()))
                .collect(),
            figures: self
                .scenario
                .tenants
                .iter()
                .map(|tenant| tenant.id)
                .zip(self.figures)
                .collect(),
            wrong_count: self.clients.wrong_count,
            refused: self.server.refused(),
            network: self.network.figures(),
            leaks: self.server.leaks(&self.network, &self.scenario.tenants),
            trace_hash: hash.hash(),
            events: self.events.added(),
            wrong: self.clients.wrong,
        })
    }

    fn run_until(&mut self, end: Timestamp) {
        loop {
            let next_event = self.events.next_at().unwrap_or(Timestamp::MAX);
            let (next_step, index) = self.server.next_step(self.now, &self.network);
            let next = next_event.min(next_step);
            if next >= end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            if next_event > next_step {
                self.server
                    .step(index, self.now, &mut self.network, &mut self.events);
            } else if let Some((_, event)) = self.events.take() {
                self.handle(event);
            }
        }
    }

    fn handle(&mut self, event: Event) {
        self.trace.add(self.now.as_nanos());
        let mut out = Outside {
            now: self.now,
            network: &mut self.network,
            events: &mut self.events,
        };
        match event {
            Event::Alarm(client) => self.clients.alarm(client, &mut out),
            Event::Cue(index) => self.act(index as usize),
            other => {
                let heard = out.network.handle(out.now, other, out.events);
                if let Some((client, socket, notice)) = heard {
                    self.trace.add(u64::from(client));
                    self.clients.notice(client, socket, notice, &mut out);
                }
            }
        }
    }

    fn act(&mut self, index: usize) {
        let Some((_, act)) = self.timetable.get(index).cloned() else {
            return;
        };
        match act {
            Act::Leave(group) => self.leave(group),
            Act::Cue(Cue::Slowness(percent)) => self.server.set_slowness(percent),
            Act::Cue(Cue::Cut(group)) => {
                let mut out = Outside {
                    now: self.now,
                    network: &mut self.network,
                    events: &mut self.events,
                };
                self.clients.cut(group, &mut out);
            }
            Act::Cue(Cue::Limit(id, traffic)) => {
                let tenants = &mut self.scenario.tenants;
                if let Some(tenant) = tenants.iter_mut().find(|tenant| tenant.id == id) {
                    tenant.traffic = traffic;
                }
                self.server.apply(tenants);
            }
            Act::Sample => {
                for (tenant, samples) in self.scenario.tenants.iter().zip(&mut self.figures) {
                    samples.push(self.server.figures(tenant));
                }
            }
        }
    }

    fn leave(&mut self, group: usize) {
        let mut out = Outside {
            now: self.now,
            network: &mut self.network,
            events: &mut self.events,
        };
        self.clients.leave(group, &mut out);
    }
}

fn timetable(scenario: &Scenario) -> Vec<(Timestamp, Act)> {
    let cues = scenario.cues.iter();
    let cues = cues.map(|(at, cue)| (BEGINNING + *at, Act::Cue(cue.clone())));
    let groups = scenario.groups.iter().enumerate();
    let leaving = groups.map(|(index, group)| (BEGINNING + group.leave, Act::Leave(index)));
    let seconds = (0..=scenario.length.as_secs())
        .map(|second| (BEGINNING + Duration::from_secs(second), Act::Sample));
    seconds.chain(cues).chain(leaving).collect()
}
