//! Virtual clients: closed or open loop, with timeouts and reconnects, and ones that misbehave.

mod client;
mod group;
mod life;
mod reply;
mod request;

use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;

use self::client::Client;
use self::reply::{Answer, check};
use self::request::Asker;
use crate::event::{Event, EventQueue};
use crate::measure::Timeline;
use crate::network::{Network, NetworkConfig, SocketId};
use crate::scenario::Tenant;

pub use group::{Conduct, Group, Mix, Pace, Patience, Sources};
pub(crate) use request::{SHARED_KEYS, shared_key, shared_value};

/// How many wrong answers are told in full.
const WRONG_TOLD_MAX: usize = 20;

/// Bytes kept of each client.
#[cfg(test)]
pub(crate) const fn client_len() -> usize {
    size_of::<Client>()
}

/// All clients of a run.
#[derive(Debug)]
pub(crate) struct Clients {
    seed: u64,
    began: Timestamp,
    network: NetworkConfig,
    groups: Vec<GroupState>,
    clients: Vec<Client>,
    /// Answers that belong to no request, or are stale.
    pub(crate) wrong: Vec<String>,
    pub(crate) wrong_count: u64,
    scratch: Vec<u8>,
}

/// A group and what it saw.
#[derive(Debug)]
pub(crate) struct GroupState {
    pub(crate) group: Group,
    pub(crate) timeline: Timeline,
    value_len: u32,
    login: Vec<u8>,
    /// The number of its first client.
    first: u32,
}

/// What clients act upon.
pub(crate) struct Outside<'a> {
    pub(crate) now: Timestamp,
    pub(crate) network: &'a mut Network,
    pub(crate) events: &'a mut EventQueue,
}

impl Clients {
    /// Has every client come at its time.
    pub(crate) fn new(
        seed: u64,
        began: Timestamp,
        groups: &[Group],
        tenants: &[Tenant],
        network: NetworkConfig,
        events: &mut EventQueue,
    ) -> Self {
        let mut all = Self {
            seed,
            began,
            network,
            groups: Vec::new(),
            clients: Vec::new(),
            wrong: Vec::new(),
            wrong_count: 0,
            scratch: Vec::new(),
        };
        for (number, group) in groups.iter().enumerate() {
            let tenant = tenants.iter().find(|tenant| tenant.id == group.tenant);
            let first = all.clients.len() as u32;
            all.groups.push(GroupState {
                group: group.clone(),
                timeline: Timeline::new(began),
                value_len: tenant.map_or(0, |tenant| tenant.value_len),
                login: tenant.map(Tenant::login).unwrap_or_default(),
                first,
            });
            for index in 0..group.clients {
                all.clients.push(Client::new(number as u8));
                let (from, over) = group.arrive;
                let at = began + from + over.mul_f64(f64::from(index) / f64::from(group.clients));
                all.set_deadline(first + index, at, events);
            }
        }
        all
    }

    pub(crate) fn groups(&self) -> &[GroupState] {
        &self.groups
    }

    /// Has every client of a group close and never come back.
    pub(crate) fn leave(&mut self, group: usize, out: &mut Outside<'_>) {
        for number in self.members(group) {
            self.close(number, out);
            let client = &mut self.clients[number as usize];
            client.state = client::State::Away;
            client.deadline = Timestamp::MAX;
        }
    }

    /// Voids every connection of a group, as a router does that forgets its table.
    pub(crate) fn cut(&mut self, group: usize, out: &mut Outside<'_>) {
        for number in self.members(group) {
            let socket = self.clients[number as usize].socket;
            if socket != SocketId::NONE {
                out.network.cut(out.now, socket, out.events);
            }
        }
    }

    fn members(&self, group: usize) -> std::ops::Range<u32> {
        let state = &self.groups[group];
        state.first..state.first + state.group.clients
    }

    fn asker(&self, number: u32) -> Asker<'_> {
        let client = &self.clients[number as usize];
        let state = &self.groups[usize::from(client.group)];
        Asker {
            seed: self.seed,
            client: number,
            epoch: client.epoch,
            mix: &state.group.mix,
            value_len: state.value_len,
        }
    }

    /// Takes every whole reply that has come; false if one was wrong.
    fn take_replies(&mut self, number: u32, out: &mut Outside<'_>) -> bool {
        let (socket, mut own) = {
            let client = &self.clients[number as usize];
            (client.socket, client.own)
        };
        let (mut at, mut right) = (0, true);
        let input = out.network.client_input(socket);
        while self.clients[number as usize].answered < self.clients[number as usize].sent {
            let n = self.clients[number as usize].answered;
            match check(self.asker(number), n, &mut own, &input[at..]) {
                Answer::Incomplete => break,
                Answer::Right(len, result) => {
                    at += len;
                    self.count(number, out.now, result);
                }
                Answer::Wrong(why) => {
                    self.tell_wrong(number, why, &input[at..]);
                    right = false;
                    break;
                }
            }
        }
        let client = &mut self.clients[number as usize];
        client.own = own;
        if right && client.answered == client.sent && at < input.len() {
            self.tell_wrong(number, "more than was asked for", &input[at..]);
            right = false;
        }
        out.network.client_take(out.now, socket, at, out.events);
        right
    }

    fn count(&mut self, number: u32, now: Timestamp, result: reply::Result) {
        let client = &mut self.clients[number as usize];
        client.answered += 1;
        let piece = self.groups[usize::from(client.group)].timeline.at(now);
        piece.latency.add(now.since(client.intended));
        piece.tally.answered += 1;
        piece.tally.hits += u64::from(result.hits);
        piece.tally.misses += u64::from(result.misses);
        piece.tally.refused += u64::from(result.refused);
        piece.tally.failed += u64::from(result.failed);
    }

    fn tell_wrong(&mut self, number: u32, why: &str, input: &[u8]) {
        self.wrong_count += 1;
        if self.wrong.len() < WRONG_TOLD_MAX {
            let client = &self.clients[number as usize];
            let asked = self.asker(number).request(client.answered);
            let said = String::from_utf8_lossy(&input[..input.len().min(80)]);
            self.wrong.push(format!(
                "client {number}, connection {}, request {} ({asked:?}): {why}: {said:?}",
                client.epoch, client.answered
            ));
        }
    }

    fn timeline(&mut self, number: u32) -> &mut Timeline {
        let group = self.clients[number as usize].group;
        &mut self.groups[usize::from(group)].timeline
    }

    fn set_deadline(&mut self, number: u32, at: Timestamp, events: &mut EventQueue) {
        let client = &mut self.clients[number as usize];
        client.deadline = at;
        if at < client.alarm {
            client.alarm = at;
            events.add(at, Event::Alarm(number));
        }
    }

    /// A number in `[0, 1)` that follows from the client and `what`.
    fn chance(&self, number: u32, what: u32) -> f64 {
        let mut rng = Rng::new(self.seed ^ (u64::from(what) << 32 | u64::from(number)));
        rng.next_u64();
        rng.unit_f64()
    }

    fn since_start(&self, at: Duration) -> Timestamp {
        self.began + at
    }
}

#[cfg(test)]
#[path = "clients_test.rs"]
mod tests;
