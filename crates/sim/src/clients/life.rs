//! What a client does next: connects, says who it is, asks, waits, gives up, and comes back.

use std::time::Duration;

use base::Timestamp;

use super::client::State;
use super::group::{Conduct, Pace, Sources};
use super::{Clients, Outside};
use crate::network::{Notice, SocketId};

/// The first address of clients that have one each: 10.0.0.0.
const FIRST_SOURCE: u32 = 10 << 24;
/// The first address of groups that have one together: 192.0.2.0.
const FIRST_SHARED_SOURCE: u32 = 0xc000_0200;

impl Clients {
    /// A client's alarm goes off.
    pub(crate) fn alarm(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &mut self.clients[number as usize];
        if client.alarm != out.now {
            return;
        }
        client.alarm = Timestamp::MAX;
        let deadline = client.deadline;
        if deadline > out.now {
            if deadline < Timestamp::MAX {
                self.set_deadline(number, deadline, out.events);
            }
            return;
        }
        client.deadline = Timestamp::MAX;
        match client.state {
            State::Away | State::Pausing => self.connect(number, out),
            State::Connecting | State::Authenticating => self.connect_failed(number, out),
            State::Idle => self.begin_batch(number, out),
            State::Waiting => self.give_up_waiting(number, out),
            State::Obstinate => self.vanish(number, out),
        }
    }

    /// The network has something to tell a client.
    pub(crate) fn notice(
        &mut self,
        number: u32,
        socket: SocketId,
        notice: Notice,
        out: &mut Outside<'_>,
    ) {
        let client = &self.clients[number as usize];
        if client.socket != socket {
            return;
        }
        match (notice, client.state) {
            (Notice::Connected, State::Connecting) => self.log_in(number, out),
            (Notice::Data, State::Authenticating) => self.hear_login(number, out),
            (Notice::Data, State::Waiting) => self.hear_replies(number, out),
            (Notice::Data, State::Idle) => {
                let said = out.network.client_input(socket).to_vec();
                self.tell_wrong(number, "more than was asked for", &said);
            }
            (Notice::Room, State::Obstinate) => self.write_on(number, out),
            (Notice::Closed | Notice::Reset, _) => self.was_dropped(number, out),
            _ => {}
        }
    }

    fn connect(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &mut self.clients[number as usize];
        client.epoch += 1;
        (client.sent, client.answered, client.own) = (0, 0, None);
        client.state = State::Connecting;
        client.connecting_since = out.now;
        let (group, epoch) = (client.group, client.epoch);
        let state = &self.groups[usize::from(group)];
        let timeout = state.group.patience.timeout;
        let source = match state.group.sources {
            Sources::Each => FIRST_SOURCE + number,
            Sources::One => FIRST_SHARED_SOURCE + u32::from(group),
        };
        let spread = f64::from(self.network.latency_spread_us) * self.chance(number, epoch);
        let latency_us = self.network.latency_us + spread as u32;
        let socket = out
            .network
            .connect(out.now, number, source, latency_us, out.events);
        self.clients[number as usize].socket = socket;
        self.set_deadline(number, out.now + timeout, out.events);
    }

    fn log_in(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &mut self.clients[number as usize];
        let state = &self.groups[usize::from(client.group)];
        if let Conduct::Mute(_) = state.group.conduct {
            client.state = State::Obstinate;
            client.deadline = Timestamp::MAX;
            return;
        }
        client.state = State::Authenticating;
        let socket = client.socket;
        out.network
            .client_write(out.now, socket, &state.login, out.events);
    }

    fn hear_login(&mut self, number: u32, out: &mut Outside<'_>) {
        let socket = self.clients[number as usize].socket;
        let input = out.network.client_input(socket);
        let Some(end) = memchr::memchr(b'\n', input) else {
            return;
        };
        let is_in = &input[..=end] == b"STORED\r\n";
        out.network
            .client_take(out.now, socket, end + 1, out.events);
        if !is_in {
            return self.connect_failed(number, out);
        }
        let since = self.clients[number as usize].connecting_since;
        let piece = self.timeline(number).at(out.now);
        piece.tally.connects += 1;
        piece.connect.add(out.now.since(since));
        self.is_connected(number, out);
    }

    fn is_connected(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &mut self.clients[number as usize];
        let conduct = self.groups[usize::from(client.group)].group.conduct;
        if conduct != Conduct::Steady {
            out.network.stop_reading(client.socket);
        }
        match conduct {
            Conduct::Halting(_) => {
                client.state = State::Obstinate;
                client.deadline = Timestamp::MAX;
                let socket = client.socket;
                let half = b"set half 0 0 100\r\nbut no";
                out.network.client_write(out.now, socket, half, out.events);
            }
            Conduct::Deaf(_) => {
                client.state = State::Obstinate;
                client.deadline = Timestamp::MAX;
                self.write_on(number, out);
            }
            Conduct::Vanish(after) => {
                client.state = State::Obstinate;
                self.write_requests(number, out);
                self.set_deadline(number, out.now + after, out.events);
            }
            _ if client.has_batch => self.write_batch(number, out),
            _ => self.rest(number, out),
        }
    }

    /// Lets a client that has nothing under way wait until it is to ask again.
    fn rest(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &self.clients[number as usize];
        let pace = self.groups[usize::from(client.group)].group.pace;
        let at = match pace {
            Pace::Closed(Duration::ZERO) => return self.begin_batch(number, out),
            Pace::Closed(think) => {
                let chance = self.chance(number, client.sent.wrapping_add(client.epoch << 24));
                // A newcomer is anywhere in its cycle, so that a crowd is in its steady state at once.
                let is_new = client.sent == 0 && client.epoch == 1;
                out.now + think.mul_f64(if is_new { chance } else { 0.5 + chance })
            }
            Pace::Open(_) => self.next_arrival(number, out.now),
        };
        let client = &mut self.clients[number as usize];
        client.state = State::Idle;
        if at <= out.now {
            return self.begin_batch(number, out);
        }
        self.set_deadline(number, at, out.events);
    }

    /// When an open loop's next batch is due; those that are long overdue are counted as errors.
    fn next_arrival(&mut self, number: u32, now: Timestamp) -> Timestamp {
        let client = &self.clients[number as usize];
        let state = &self.groups[usize::from(client.group)];
        let Pace::Open(interval) = state.group.pace else {
            return now;
        };
        let timeout = state.group.patience.timeout;
        let begin = self.since_start(state.group.arrive.0);
        let (mut arrival, mut missed) = (client.arrivals, 0);
        let at = |arrival: u32| {
            begin + interval.mul_f64(f64::from(arrival) + self.chance(number, arrival))
        };
        if client.epoch == 1 && client.sent == 0 {
            // Nothing is owed from before it came.
            arrival = (now.since(begin).as_secs_f64() / interval.as_secs_f64()) as u32;
            arrival += u32::from(at(arrival) < now);
        }
        while at(arrival) + timeout < now {
            arrival += 1;
            missed += 1;
        }
        let due = at(arrival);
        self.clients[number as usize].arrivals = arrival;
        self.timeline(number).at(now).tally.errors += missed;
        due
    }

    fn begin_batch(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &self.clients[number as usize];
        let pace = self.groups[usize::from(client.group)].group.pace;
        let intended = match pace {
            Pace::Closed(_) => out.now,
            Pace::Open(_) => self.next_arrival(number, out.now),
        };
        let client = &mut self.clients[number as usize];
        client.arrivals += 1;
        client.intended = intended;
        client.has_batch = true;
        if client.socket == SocketId::NONE {
            return self.connect(number, out);
        }
        self.write_batch(number, out);
    }

    fn write_batch(&mut self, number: u32, out: &mut Outside<'_>) {
        let (timeout, is_whole) = self.write_requests(number, out);
        if !is_whole {
            self.tell_wrong(
                number,
                "a batch is longer than its client's send buffer",
                b"",
            );
        }
        self.clients[number as usize].state = State::Waiting;
        self.set_deadline(number, out.now + timeout, out.events);
    }

    /// Writes a batch; says how long to wait for the replies, and whether all of it was taken.
    fn write_requests(&mut self, number: u32, out: &mut Outside<'_>) -> (Duration, bool) {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let client = &self.clients[number as usize];
        let group = &self.groups[usize::from(client.group)].group;
        let timeout = match group.conduct {
            Conduct::Abandon(after, _) => after,
            _ => group.patience.timeout,
        };
        let until = client.sent + u32::from(group.batch);
        let asker = self.asker(number);
        (client.sent..until).for_each(|n| asker.write(n, &mut bytes));
        let socket = client.socket;
        let taken = out
            .network
            .client_write(out.now, socket, &bytes, out.events);
        let is_whole = taken == bytes.len();
        self.scratch = bytes;
        self.clients[number as usize].sent = until;
        (timeout, is_whole)
    }

    /// Writes batch after batch until no more is taken.
    fn write_on(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &self.clients[number as usize];
        let conduct = self.groups[usize::from(client.group)].group.conduct;
        if let Conduct::Deaf(_) = conduct {
            while self.write_requests(number, out).1 {}
        }
    }

    fn hear_replies(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &self.clients[number as usize];
        let conduct = self.groups[usize::from(client.group)].group.conduct;
        if let Conduct::Abandon(..) = conduct {
            return;
        }
        if !self.take_replies(number, out) {
            return self.fail(number, out);
        }
        let client = &mut self.clients[number as usize];
        if client.answered == client.sent {
            client.failures = 0;
            client.has_batch = false;
            client.deadline = Timestamp::MAX;
            self.rest(number, out);
        }
    }

    fn connect_failed(&mut self, number: u32, out: &mut Outside<'_>) {
        let piece = self.timeline(number).at(out.now);
        piece.tally.connect_failures += 1;
        self.fail(number, out);
    }

    fn give_up_waiting(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &mut self.clients[number as usize];
        let conduct = self.groups[usize::from(client.group)].group.conduct;
        if let Conduct::Abandon(_, pause) = conduct {
            client.has_batch = false;
            self.close(number, out);
            return self.pause(number, pause, out);
        }
        let piece = self.timeline(number).at(out.now);
        piece.tally.timeouts += 1;
        self.fail(number, out);
    }

    fn vanish(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &mut self.clients[number as usize];
        client.state = State::Away;
        let socket = std::mem::replace(&mut client.socket, SocketId::NONE);
        out.network.vanish(out.now, socket, out.events);
    }

    fn was_dropped(&mut self, number: u32, out: &mut Outside<'_>) {
        let piece = self.timeline(number).at(out.now);
        piece.tally.dropped += 1;
        let client = &self.clients[number as usize];
        let conduct = self.groups[usize::from(client.group)].group.conduct;
        match (client.state, conduct) {
            (State::Idle, _) => self.close(number, out),
            (
                _,
                Conduct::Mute(pause)
                | Conduct::Halting(pause)
                | Conduct::Deaf(pause)
                | Conduct::Abandon(_, pause),
            ) => {
                self.close(number, out);
                self.pause(number, pause, out);
            }
            (State::Connecting | State::Authenticating, _) => self.connect_failed(number, out),
            _ => self.fail(number, out),
        }
    }

    /// Closes, and comes back after a while: soon, or later if it failed too often.
    fn fail(&mut self, number: u32, out: &mut Outside<'_>) {
        self.close(number, out);
        let client = &mut self.clients[number as usize];
        let patience = self.groups[usize::from(client.group)].group.patience;
        client.failures = client.failures.saturating_add(1);
        let is_down = patience.failures_max < u8::MAX && client.failures >= patience.failures_max;
        if !is_down {
            return self.pause(number, patience.failure_delay, out);
        }
        client.failures = 0;
        if std::mem::take(&mut client.has_batch) {
            self.timeline(number).at(out.now).tally.errors += 1;
        }
        self.pause(number, patience.down_delay, out);
    }

    fn pause(&mut self, number: u32, delay: Duration, out: &mut Outside<'_>) {
        self.clients[number as usize].state = State::Pausing;
        self.set_deadline(number, out.now + delay, out.events);
    }

    pub(super) fn close(&mut self, number: u32, out: &mut Outside<'_>) {
        let client = &mut self.clients[number as usize];
        let socket = std::mem::replace(&mut client.socket, SocketId::NONE);
        if socket != SocketId::NONE {
            out.network.client_close(out.now, socket, out.events);
        }
    }
}
