//! What goes wrong: partitions of every kind, restarts, changes of weight, the store's loss.

use std::sync::Arc;
use std::time::Duration;

use super::network::Place;
use super::world::{CALM, Event, World};

impl World {
    /// Something goes wrong, and something else is to follow until the calm before the end.
    pub(super) fn fault(&mut self) {
        if self.now + CALM >= self.end {
            return self.heal_all();
        }
        let pause = Duration::from_millis(200 + self.rng.below(8_000));
        let calm = self.end.since(self.now + CALM);
        self.after(pause.min(calm), Event::Fault);
        match self.rng.below(10) {
            0..=1 => self.cut_together(),
            2 => self.cut_from_store(),
            3 => self.cut_pair(),
            4 => self.stop_store(),
            5 => self.restart_some(),
            6 => self.declare_void(),
            _ => self.change_weights(),
        }
    }

    /// A gateway and some nodes lose the store, and perhaps everybody else.
    fn cut_together(&mut self) {
        let lasting = self.lasting();
        let apart = self.rng.below(2) == 0;
        let first = self.rng.below(self.gateways as u64) as usize;
        let inside: Vec<bool> = (0..self.members.len())
            .map(|place| place == first || (place >= self.gateways && self.rng.below(2) == 0))
            .collect();
        for place in (0..self.members.len()).filter(|place| inside[*place]) {
            self.network.cut_from_store(place);
            self.after(lasting, Event::Heal(place));
            for other in (0..self.members.len()).filter(|other| apart && !inside[*other]) {
                self.network.cut(place, other);
            }
        }
    }

    fn cut_from_store(&mut self) {
        let (place, lasting) = (self.anybody(), self.lasting());
        self.network.cut_from_store(place);
        self.after(lasting, Event::Heal(place));
    }

    fn cut_pair(&mut self) {
        let gateway = self.rng.below(self.gateways as u64) as usize;
        let node = self.node();
        let lasting = self.lasting();
        self.network.cut(gateway, node);
        self.after(lasting, Event::Heal(node));
    }

    fn stop_store(&mut self) {
        let lasting = self.lasting();
        self.network.set_store_down(true, self.now);
        self.after(lasting, Event::StoreDown(false));
    }

    fn restart_some(&mut self) {
        for _ in 0..=self.rng.below(2) {
            let place = self.anybody();
            self.restart(place);
        }
    }

    /// Ends a member's process and starts it again.
    pub(super) fn restart(&mut self, place: Place) {
        let ring = Arc::clone(self.members[place].knowledge.ring());
        let kept = (self.rng.below(2) == 0).then_some(ring);
        let incarnation = self.incarnation();
        self.members[place].restart(kept, incarnation, self.now);
        let run = self.members[place].run;
        self.after(Duration::ZERO, Event::Tick(place, run));
    }

    fn declare_void(&mut self) {
        let place = self.node();
        self.store.void = Some(self.members[place].id);
    }

    /// Leaving is a weight of 0; somebody always stays. What left comes back sooner or later.
    fn change_weights(&mut self) {
        let place = self.node();
        let id = self.members[place].id;
        let weight = [0, 0, 1, 30, 100, 300][self.rng.below(6) as usize];
        self.store.set_weight(id, weight);
        if self.rng.below(2) == 0 {
            // It leaves and returns within seconds: the change that brings old items back.
            let back = Duration::from_millis(self.rng.below(6_000));
            self.after(back, Event::Weight(id, 100));
        }
    }

    fn heal_all(&mut self) {
        for place in 0..self.members.len() {
            self.network.heal(place, self.now);
        }
        self.network.set_store_down(false, self.now);
    }

    fn anybody(&mut self) -> Place {
        self.rng.below(self.members.len() as u64) as usize
    }

    fn node(&mut self) -> Place {
        let nodes = self.members.len() - self.gateways;
        self.gateways + self.rng.below(nodes as u64) as usize
    }

    /// Half of the troubles last seconds, half so long that `max_stale` passes.
    fn lasting(&mut self) -> Duration {
        let millis = match self.rng.below(2) {
            0 => 100 + self.rng.below(6_000),
            _ => 20_000 + self.rng.below(40_000),
        };
        Duration::from_millis(millis)
    }
}
