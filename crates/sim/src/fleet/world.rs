//! The world of one history: events in the order of their times, and what each does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::fleet::{Claim, Epoch, Incarnation, MemberId, Slot};
use base::rng::Rng;
use fleet::{Ring, Weights};

use super::history::{History, Violation};
use super::member::{Answer, Member, Part};
use super::network::{Network, Place};
use super::operate::Operation;
use super::steward::{Steward, Store};
use super::{Bug, Figures, FleetRun, START, Weather};

/// How often a member asks the store, and a gateway its nodes, at least.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often a steward looks.
const STEWARD_EVERY: Duration = Duration::from_millis(150);
/// All is healed so long before the end.
pub(super) const CALM: Duration = Duration::from_secs(20);

/// What happens next.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A member's time to ask the store; every second, by its run.
    Tick(Place, u32),
    /// A question arrives at the store.
    Asked(Place, u32, Timestamp),
    /// Its answer arrives.
    Told(Place, u32, Timestamp, Arc<Ring>),
    /// The word that a member knows of a version arrives at the store.
    Known(Place, u32, Epoch),
    /// The steward at this gateway looks at the store.
    Steward(Place),
    /// A steward's write arrives at the store.
    Replace(Place, Arc<Ring>, u64),
    /// A gateway's question what a node knows arrives there, and back.
    Probe(Place, u32, Place, Timestamp),
    Probed(Place, u32, MemberId, Timestamp, Option<Epoch>),
    /// A client does something.
    Operate,
    /// A request arrives at a node's run, and its answer back.
    Request(usize, Place, u32, Claim),
    Reply(usize, Slot, Epoch, Answer),
    /// A gateway's patience with a request ends.
    Deadline(usize),
    /// A gateway puts a node back in that it had taken out.
    Readmit(Place, MemberId),
    /// Something breaks, and something heals.
    Fault,
    Heal(Place),
    StoreDown(bool),
    /// A node's weight changes.
    Weight(MemberId, u32),
}

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) end: Timestamp,
    pub(super) rng: Rng,
    pub(super) bug: Option<Bug>,
    queue: BinaryHeap<Reverse<Queued>>,
    queued: u64,
    /// Gateways first, then nodes.
    pub(super) members: Vec<Member>,
    pub(super) gateways: usize,
    pub(super) network: Network,
    pub(super) store: Store,
    stewards: Vec<Steward>,
    pub(super) history: History,
    pub(super) operations: Vec<Operation>,
    pub(super) slots: Vec<Slot>,
    pub(super) figures: Figures,
    runs: u32,
}

/// Ordered by time, then by age.
struct Queued(Timestamp, u64, Event);

impl World {
    pub(super) fn new(run: &FleetRun) -> Self {
        let mut rng = Rng::new(run.seed);
        let gateways = 2 + rng.below(2) as usize;
        let nodes = 2 + rng.below(5) as usize;
        let weights: Weights = (1..=nodes as u32).map(|id| (MemberId(id), 100)).collect();
        let slots = (0..10).map(|_| Slot::of_hash(rng.next_u64())).collect();
        let mut world = Self {
            now: START,
            end: START + run.length,
            bug: run.bug,
            queue: BinaryHeap::new(),
            queued: 0,
            members: Vec::new(),
            gateways,
            network: Network::new(gateways + nodes, START),
            store: Store::new(weights),
            stewards: vec![Steward::default(); gateways],
            history: History::default(),
            operations: Vec::new(),
            slots,
            figures: Figures::default(),
            runs: 0,
            rng,
        };
        world.populate(nodes);
        world.after(Duration::from_secs(2), Event::Operate);
        match run.weather {
            Weather::Faults => world.after(Duration::from_secs(4), Event::Fault),
            Weather::StoreDown => {
                world.after(Duration::from_secs(20), Event::StoreDown(true));
                let back = run.length.saturating_sub(Duration::from_secs(30));
                world.after(back, Event::StoreDown(false));
            }
        }
        world
    }

    fn populate(&mut self, nodes: usize) {
        for gateway in 0..self.gateways {
            let id = MemberId(101 + gateway as u32);
            self.members.push(Member::gateway(id, self.now));
            self.after(STEWARD_EVERY, Event::Steward(gateway));
        }
        for id in 1..=nodes as u32 {
            let incarnation = self.incarnation();
            self.members
                .push(Member::node(MemberId(id), incarnation, self.now));
        }
        for place in 0..self.members.len() {
            self.after(Duration::ZERO, Event::Tick(place, 0));
        }
    }

    /// Every run's own, as the store gives them out.
    pub(super) fn incarnation(&mut self) -> Incarnation {
        self.runs += 1;
        match self.bug {
            Some(Bug::TokensRestart) => Incarnation::ALONE,
            _ => Incarnation::new(self.runs).unwrap_or(Incarnation::ALONE),
        }
    }

    pub(super) fn after(&mut self, delay: Duration, event: Event) {
        self.queued += 1;
        let queued = Queued(self.now + delay, self.queued, event);
        self.queue.push(Reverse(queued));
    }

    pub(super) fn run(mut self) -> Result<Figures, Violation> {
        while let Some(Reverse(Queued(at, _, event))) = self.queue.pop() {
            if at >= self.end {
                break;
            }
            self.now = at;
            self.handle(event)?;
        }
        self.figures.ring_changes = self.store.ring.version().0;
        self.check_serving()?;
        Ok(self.figures)
    }

    fn handle(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Tick(place, run) => self.tick(place, run),
            Event::Asked(place, run, at) => self.asked(place, run, at),
            Event::Told(place, run, at, ring) => self.told(place, run, at, &ring),
            Event::Known(place, run, epoch) => self.known(place, run, epoch),
            Event::Steward(place) => self.look(place),
            Event::Replace(place, ring, revision) => self.replace(place, ring, revision),
            Event::Probe(place, run, node, at) => self.probe(place, run, node, at),
            Event::Probed(place, run, node, at, known) => {
                if self.members[place].run == run {
                    self.members[place].knowledge.report(node, known, at);
                }
            }
            Event::Operate => self.operate(),
            Event::Request(op, node, run, claim) => self.serve(op, node, run, claim)?,
            Event::Reply(op, slot, epoch, answer) => self.reply(op, slot, epoch, answer)?,
            Event::Deadline(op) => self.give_up(op),
            Event::Readmit(place, node) => {
                if let Part::Gateway(gateway) = &mut self.members[place].part {
                    gateway.routes.readmit(node);
                }
            }
            Event::Fault => self.fault(),
            Event::Heal(place) => self.network.heal(place, self.now),
            Event::StoreDown(down) => self.network.set_store_down(down, self.now),
            Event::Weight(id, weight) => self.store.set_weight(id, weight),
        }
        Ok(())
    }

    fn tick(&mut self, place: Place, run: u32) {
        if self.members[place].run != run {
            return;
        }
        self.after(ASK_EVERY, Event::Tick(place, run));
        self.ask_store(place);
        if place < self.gateways {
            for node in self.gateways..self.members.len() {
                let delay = Network::delay(&mut self.rng);
                self.after(delay, Event::Probe(place, run, node, self.now));
            }
        }
    }

    pub(super) fn ask_store(&mut self, place: Place) {
        if self.network.reaches_store(place) {
            let delay = Network::store_delay(&mut self.rng);
            let run = self.members[place].run;
            self.after(delay, Event::Asked(place, run, self.now));
        }
    }

    fn asked(&mut self, place: Place, run: u32, at: Timestamp) {
        if !self.network.reaches_store(place) {
            return;
        }
        if place < self.gateways {
            self.store.register(self.members[place].id);
        }
        let delay = Network::store_delay(&mut self.rng);
        let ring = Arc::clone(&self.store.ring);
        self.after(delay, Event::Told(place, run, at, ring));
    }

    fn told(&mut self, place: Place, run: u32, at: Timestamp, ring: &Arc<Ring>) {
        let member = &mut self.members[place];
        if member.run != run || !self.network.reaches_store(place) {
            return;
        }
        // What a member knows already it says again: the first word may have been lost.
        member.learn(ring, at);
        if let Some(epoch) = member.knowledge.announced() {
            let delay = Network::store_delay(&mut self.rng);
            self.after(delay, Event::Known(place, run, epoch));
        }
    }

    fn known(&mut self, place: Place, run: u32, epoch: Epoch) {
        if self.members[place].run == run && self.network.reaches_store(place) {
            let (id, is_gateway) = (self.members[place].id, place < self.gateways);
            self.store.acknowledge(id, is_gateway, epoch);
        }
    }

    fn look(&mut self, place: Place) {
        self.after(STEWARD_EVERY, Event::Steward(place));
        if !self.network.reaches_store(place) {
            return;
        }
        let next = self.stewards[place].next(&mut self.store, self.now, self.bug);
        if let Some(ring) = next {
            let delay = Network::store_delay(&mut self.rng);
            let revision = self.store.revision;
            self.after(delay, Event::Replace(place, Arc::new(ring), revision));
        }
    }

    fn replace(&mut self, place: Place, ring: Arc<Ring>, revision: u64) {
        if self.network.reaches_store(place) && self.store.replace(ring, revision) {
            // Watches tell most members at once; those that miss it ask within a second.
            for place in 0..self.members.len() {
                if self.rng.below(10) > 0 {
                    self.ask_store(place);
                }
            }
        }
    }

    fn probe(&mut self, place: Place, run: u32, node: Place, at: Timestamp) {
        if self.network.is_up(place, node) {
            let known = self.members[node].knowledge.announced();
            let id = self.members[node].id;
            let delay = Network::delay(&mut self.rng);
            self.after(delay, Event::Probed(place, run, id, at, known));
        }
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}
