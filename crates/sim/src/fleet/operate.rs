//! What clients do, and its way to a node and back.

use std::time::Duration;

use base::Timestamp;
use base::fleet::{Claim, Epoch, MemberId, Slot};
use fleet::knowledge::Standing;
use fleet::routes::{Route, Why};

use super::history::{Violation, WriteId};
use super::member::{Answer, Deed, Part};
use super::network::{Network, Place};
use super::world::{CALM, Event, World};
use super::{Bug, START};

/// A gateway's patience with a node.
const DEADLINE: Duration = Duration::from_millis(100);
/// For how long two that are cut off together may serve on.
const STALE_MAX: Duration = Duration::from_secs(30);
/// After how many requests in a row without an answer a gateway takes a node out, and how long.
const TIMEOUTS_MAX: u32 = 3;
const EJECTED: Duration = Duration::from_secs(3);

/// One request of a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    gateway: Place,
    run: u32,
    /// Whom it went to.
    node: Option<Place>,
    key: usize,
    deed: Deed,
    started: Timestamp,
    done: bool,
}

impl World {
    /// A client writes, removes or reads a key, and another is to follow.
    pub(super) fn operate(&mut self) {
        let pause = Duration::from_micros(self.rng.below(60_000));
        self.after(pause, Event::Operate);
        let key = self.rng.below(self.slots.len() as u64) as usize;
        let deed = match self.rng.below(20) {
            0..=6 => Deed::Store(self.history.begin(key, self.now)),
            7 => Deed::Remove(self.history.begin(key, self.now)),
            _ => Deed::Read,
        };
        let gateway = self.rng.below(self.gateways as u64) as usize;
        let op = self.operations.len();
        self.operations.push(Operation {
            gateway,
            run: self.members[gateway].run,
            node: None,
            key,
            deed,
            started: self.now,
            done: false,
        });
        self.send(op);
    }

    fn send(&mut self, op: usize) {
        let Operation { gateway, key, .. } = self.operations[op];
        let Some((node, epoch)) = self.route(gateway, self.slots[key]) else {
            return self.answer(op, false);
        };
        let errand = self.operations[op].deed.errand();
        let standing = self.members[gateway].standing(errand, self.now, self.bug);
        if standing == Standing::Starting {
            return self.answer(op, false);
        }
        let claim = Claim {
            slot: self.slots[key],
            epoch,
            vouched: standing == Standing::Assured,
        };
        self.after(DEADLINE, Event::Deadline(op));
        let place = self.place(node);
        self.operations[op].node = Some(place);
        if self.network.is_up(gateway, place) {
            let run = self.members[place].run;
            let delay = Network::delay(&mut self.rng);
            self.after(delay, Event::Request(op, place, run, claim));
        }
    }

    fn route(&self, gateway: Place, slot: Slot) -> Option<(MemberId, Epoch)> {
        let Part::Gateway(part) = &self.members[gateway].part else {
            return None;
        };
        match part.routes.route(slot) {
            Route::To { node, epoch } => Some((node, epoch)),
            // As if it had taken the node out of a ring of its own.
            Route::Nowhere(Why::Ejected) if self.bug == Some(Bug::RerouteWhenCutOff) => {
                let ring = self.members[gateway].knowledge.ring();
                let held = ring.holding(slot);
                let mut others = ring.owners().into_iter();
                let other = others.rfind(|id| Some(*id) != held.owner)?;
                Some((other, held.epoch.next()))
            }
            Route::Nowhere(_) => None,
        }
    }

    fn place(&self, node: MemberId) -> Place {
        self.gateways + node.0 as usize - 1
    }

    /// A request arrives.
    pub(super) fn serve(
        &mut self,
        op: usize,
        place: Place,
        run: u32,
        claim: Claim,
    ) -> Result<(), Violation> {
        let operation = self.operations[op];
        let late = self.now.since(operation.started) > DEADLINE;
        let lost = !self.network.is_up(operation.gateway, place)
            || self.members[place].run != run
            || self.members[operation.gateway].run != operation.run;
        if lost || (late && self.bug != Some(Bug::LateWork)) {
            return Ok(());
        }
        let errand = operation.deed.errand();
        let standing = self.members[place].standing(errand, self.now, self.bug);
        let Part::Node(node) = &mut self.members[place].part else {
            return Ok(());
        };
        let answer = node.serve(operation.key, operation.deed, claim, standing, self.bug);
        let epoch = node.table.epoch(claim.slot);
        if let (Deed::Store(write), Answer::Done(Some(token))) = (operation.deed, answer) {
            self.history.token(write, token)?;
        }
        if epoch < claim.epoch {
            self.ask_store(place);
        }
        let delay = Network::delay(&mut self.rng);
        self.after(delay, Event::Reply(op, claim.slot, epoch, answer));
        Ok(())
    }

    /// An answer arrives, in time or not.
    pub(super) fn reply(
        &mut self,
        op: usize,
        slot: Slot,
        epoch: Epoch,
        answer: Answer,
    ) -> Result<(), Violation> {
        let operation = self.operations[op];
        let (gateway, Some(node)) = (operation.gateway, operation.node) else {
            return Ok(());
        };
        if self.members[gateway].run != operation.run || !self.network.is_up(gateway, node) {
            return Ok(());
        }
        let id = self.members[node].id;
        if let Part::Gateway(part) = &mut self.members[gateway].part {
            part.timeouts.remove(&id);
            if part.routes.observe(slot, epoch) {
                self.ask_store(gateway);
            }
        }
        if operation.done {
            return Ok(());
        }
        if let Answer::Hit(seen) = answer {
            self.check(seen, operation, node)?;
            self.figures.hits += 1;
            self.operations[op].done = true;
            self.note_served();
            return Ok(());
        }
        self.answer(op, matches!(answer, Answer::Done(_)));
        Ok(())
    }

    fn check(&mut self, seen: WriteId, op: Operation, node: Place) -> Result<(), Violation> {
        let Some(stale) = self.history.staleness(seen, op.started) else {
            return Ok(());
        };
        let cut_off = |place| self.network.is_cut_off(place, op.started);
        if !cut_off(op.gateway) || !cut_off(node) || stale.age > STALE_MAX {
            return Err(Violation::Stale(stale));
        }
        self.figures.stale_while_cut_off += 1;
        Ok(())
    }

    pub(super) fn give_up(&mut self, op: usize) {
        let operation = self.operations[op];
        if operation.done {
            return;
        }
        self.answer(op, false);
        let (gateway, Some(node)) = (operation.gateway, operation.node) else {
            return;
        };
        let id = self.members[node].id;
        if let Part::Gateway(part) = &mut self.members[gateway].part {
            let timeouts = part.timeouts.entry(id).or_insert(0);
            *timeouts += 1;
            if *timeouts == TIMEOUTS_MAX {
                *timeouts = 0;
                part.routes.eject(id);
                self.after(EJECTED, Event::Readmit(gateway, id));
            }
        }
    }

    /// Tells the client: a miss, or whether its change was made.
    fn answer(&mut self, op: usize, stored: bool) {
        let operation = &mut self.operations[op];
        operation.done = true;
        match operation.deed {
            Deed::Read => self.figures.misses += 1,
            Deed::Store(write) | Deed::Remove(write) => {
                self.history.end(write, self.now, stored);
                if stored {
                    self.figures.stored += 1;
                    self.note_served();
                } else {
                    self.figures.refused += 1;
                }
            }
        }
    }

    fn note_served(&mut self) {
        if self.now + CALM / 2 >= self.end {
            self.figures.served_at_the_end += 1;
        }
    }

    /// With all healed, most of what is asked in the last ten seconds is answered.
    pub(super) fn check_serving(&self) -> Result<(), Violation> {
        let recent = |op: &&Operation| op.started + CALM / 2 >= self.end;
        let asked = self.operations.iter().filter(recent).count() as u64;
        // Reads of removed keys are misses, and so are some after a late change of the ring.
        let enough = self.end.since(START) < CALM || self.figures.served_at_the_end * 2 > asked;
        if enough {
            Ok(())
        } else {
            Err(Violation::NotServing)
        }
    }
}
