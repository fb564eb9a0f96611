//! One gateway's view of all nodes: windows, comparison with peers, scores, and its own usual level.

use std::collections::HashMap;
use std::time::Duration;

use base::Timestamp;
use base::fleet::MemberId;

use super::ballot::{Ballot, Opinion};
use super::bench::{Bench, Peers, View};
use super::compare::{Beside, Field, Limits};
use super::score::Score;
use super::tally::{Class, Tally};
use crate::membership::State;

/// How often [`Observer::round`] is to be called.
pub const ROUND: Duration = Duration::from_millis(250);

/// Rates follow what happens within some seconds.
const RATE_TIME_S: f32 = 1.0;
/// The usual level follows the present one: down, up, and up while that is unusual.
const USUAL_DOWN_S: f64 = 10.0;
const USUAL_UP_S: f64 = 60.0;
const USUAL_UP_SHIFTED_S: f64 = 1800.0;
/// A level that is older says nothing of now.
const LEVEL_AGE_MAX: Duration = Duration::from_secs(10);

/// Sees requests, and says of nodes how surely they are slow.
#[derive(Debug)]
pub struct Observer {
    id: MemberId,
    limits: Limits,
    seats: Vec<Seat>,
    places: HashMap<MemberId, usize>,
    usual: [Usual; Class::ALL.len()],
    rounded: Timestamp,
    peers: [Peers; View::BOTH.len()],
}

/// One node.
#[derive(Debug)]
struct Seat {
    node: MemberId,
    state: State,
    benches: [Option<Box<Bench>>; Class::ALL.len()],
    rates: Rates,
    /// How much it has of all keys; 0 as long as that is not known, or nothing.
    keys: f32,
    /// What it is to carry beside the others.
    weight: f32,
    slow_since: Option<Timestamp>,
}

/// Of requests, within some seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    asked: u32,
    answered: u32,
    bytes: u64,
    asked_per_s: f32,
    answered_per_s: f32,
    bytes_per_s: f32,
}

/// What is usual for a class at the median node.
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    level_s: Option<f64>,
    usual_s: Option<f64>,
    shift: Score,
    at: Timestamp,
}

impl Observer {
    /// It knows no node yet.
    pub fn new(now: Timestamp, id: MemberId, limits: Limits) -> Self {
        Self {
            id,
            limits,
            seats: Vec::new(),
            places: HashMap::new(),
            usual: Default::default(),
            rounded: now,
            peers: Default::default(),
        }
    }

    /// Tells it where a node stands. What was held against it before it was taken out, or let in by
    /// another step, counts no more.
    pub fn know(&mut self, now: Timestamp, node: MemberId, state: State) {
        let place = match self.places.get(&node) {
            Some(place) => *place,
            None => self.seat(node, state),
        };
        let Some(seat) = self.seats.get_mut(place) else {
            return;
        };
        let goes_on = (seat.state, state) == (State::Serving, State::Suspect);
        if seat.state != state && !goes_on {
            for bench in seat.benches.iter_mut().flatten() {
                **bench = Bench::new(now);
            }
        }
        seat.state = state;
    }

    /// Tells it how much of all keys a node has from now on, as part of 1, and the weight of which it is.
    /// What it is asked rises with that at once: a node that is given its keys back is as busy as it was
    /// before its answers say so. It falls as requests show, since what made it busy may have stayed.
    pub fn give(&mut self, node: MemberId, keys: f32, weight: f32) {
        let place = self.places.get(&node).copied();
        let Some(seat) = place.and_then(|place| self.seats.get_mut(place)) else {
            return;
        };
        if seat.keys > 0.0 && keys > seat.keys {
            seat.rates.rise(keys / seat.keys);
        }
        seat.keys = keys;
        seat.weight = weight.max(f32::MIN_POSITIVE);
    }

    fn seat(&mut self, node: MemberId, state: State) -> usize {
        self.seats.push(Seat {
            node,
            state,
            benches: Default::default(),
            rates: Rates::default(),
            keys: 0.0,
            weight: 1.0,
            slow_since: None,
        });
        self.seats.sort_unstable_by_key(|seat| seat.node);
        let places = self.seats.iter().enumerate();
        self.places = places.map(|(place, seat)| (seat.node, place)).collect();
        self.places.get(&node).copied().unwrap_or(0)
    }

    /// Forgets the nodes that are no more.
    pub fn keep(&mut self, is_member: impl Fn(MemberId) -> bool) {
        self.seats.retain(|seat| is_member(seat.node));
        let places = self.seats.iter().enumerate();
        self.places = places.map(|(place, seat)| (seat.node, place)).collect();
    }

    /// Takes in what was counted of a node since the last time; nothing of one that it does not know, nor of
    /// one that is asked nothing now: what was under way when it went would be held against it until it is back.
    pub fn note(&mut self, now: Timestamp, node: MemberId, class: Class, tally: &Tally) {
        let place = self.places.get(&node).copied();
        let seat = place.and_then(|place| self.seats.get_mut(place));
        let Some(seat) = seat.filter(|seat| is_asked(seat.state)) else {
            return;
        };
        let asked = tally.asked();
        seat.rates.asked += asked.saturating_add(tally.held);
        seat.rates.answered += asked - tally.whole.unanswered();
        seat.rates.bytes += tally.bytes;
        let bench = &mut seat.benches[class.index()];
        bench
            .get_or_insert_with(|| Box::new(Bench::new(now - ROUND)))
            .note(tally);
    }

    /// Closes the windows that have enough, and compares.
    pub fn round(&mut self, now: Timestamp) {
        let passed = now.since(self.rounded);
        self.rounded = now;
        for seat in &mut self.seats {
            seat.rates.pass(passed.as_secs_f32());
        }
        for class in Class::ALL {
            self.judge_class(now, class);
        }
        for seat in &mut self.seats {
            seat.slow_since = match seat.opinion(now).is_some_and(|it| it.score > Score::CLEAR) {
                true => seat.slow_since.or(Some(now)),
                false => None,
            };
        }
    }

    fn judge_class(&mut self, now: Timestamp, class: Class) {
        let benches = |seats: &mut [Seat], each: &mut dyn FnMut(&mut Bench)| {
            let benches = seats.iter_mut().map(|it| &mut it.benches[class.index()]);
            benches.flatten().for_each(|bench| each(bench));
        };
        let mut is_fresh = false;
        benches(&mut self.seats, &mut |bench| {
            bench.close(now);
            is_fresh |= bench.is_fresh();
        });
        if !is_fresh {
            return;
        }
        let mut slow_s = [f64::INFINITY; 2];
        let limits = self.limits;
        for view in View::BOTH {
            self.fill(
                class,
                view,
                |it| &mut it.typical_s,
                |it| it.typical_s(now, view),
            );
            let typical_s = &self.peers[view as usize].typical_s;
            let Some(median) = typical_s.median() else {
                continue;
            };
            slow_s[view as usize] = (median * limits.slow_ratio).max(median + limits.slow_excess_s);
            // Unusual is what more than half of the nodes are.
            let level = typical_s.lower_median().filter(|_| view == View::Whole);
            if let Some(level_s) = level {
                self.usual[class.index()].follow(now, level_s, &limits);
            }
        }
        benches(&mut self.seats, &mut |bench| bench.close_share(now, slow_s));
        for view in View::BOTH {
            if view == View::Whole {
                self.fill(class, view, |it| &mut it.slow_part, |it| it.slow_part(now));
            }
            self.fill(class, view, |it| &mut it.share, |it| it.share(now, view));
            let peers = &self.peers[view as usize];
            for seat in &mut self.seats {
                let Some(bench) = seat.benches[class.index()].as_deref_mut() else {
                    continue;
                };
                if is_judged(seat.state, &peers.typical_s) {
                    bench.judge(class, view, peers, &limits);
                }
                if is_judged(seat.state, &peers.share) {
                    bench.judge_share(class, view, peers, &limits);
                }
            }
        }
    }

    /// Has the figures of those who serve to compare with.
    fn fill(
        &mut self,
        class: Class,
        view: View,
        field: impl Fn(&mut Peers) -> &mut Field,
        figure: impl Fn(&Bench) -> Option<f64>,
    ) {
        let serving = self.seats.iter().filter(|seat| is_peer(seat.state));
        let benches = serving.filter_map(|seat| seat.benches[class.index()].as_deref());
        field(&mut self.peers[view as usize]).fill(benches.filter_map(figure));
    }

    /// Each node beside its peers, by class; `None` where it was asked too little lately.
    pub fn beside(&self, now: Timestamp) -> Vec<(MemberId, [Option<Beside>; Class::ALL.len()])> {
        let typical = |seat: &Seat, class: Class| {
            let bench = seat.benches[class.index()].as_deref();
            bench.and_then(|bench| bench.typical_s(now, View::Whole))
        };
        let fields = Class::ALL.map(|class| {
            let mut field = Field::default();
            let peers = self.seats.iter().filter(|seat| is_peer(seat.state));
            field.fill(peers.filter_map(|seat| typical(seat, class)));
            field
        });
        let of = |seat: &Seat, class: Class| {
            let ours_s = typical(seat, class)?;
            let field = &fields[class.index()];
            let peers_s = field.median_beside(ours_s).map(|peers_s| {
                let limit_s = field.limit(peers_s, self.limits.ratio, self.limits.excess_s);
                (peers_s, limit_s)
            });
            Some(Beside { ours_s, peers_s })
        };
        let seats = self.seats.iter();
        seats
            .map(|seat| (seat.node, Class::ALL.map(|class| of(seat, class))))
            .collect()
    }

    /// What it has to say.
    pub fn ballot(&self, now: Timestamp) -> Ballot {
        let is_recent = |it: &Usual| now.since(it.at) <= LEVEL_AGE_MAX;
        let recent = self.usual.iter().filter(|it| is_recent(it));
        Ballot {
            observer: self.id,
            levels_ms: self.usual.map(|it| {
                let level_s = it.level_s.filter(|level| level.is_finite());
                level_s.filter(|_| is_recent(&it)).map(|level| level * 1e3)
            }),
            shift: recent.fold(Score::CLEAR, |most, it| most.or(it.shift)),
            opinions: self.seats.iter().filter_map(|it| it.opinion(now)).collect(),
        }
    }
}

impl Seat {
    fn opinion(&self, now: Timestamp) -> Option<Opinion> {
        let mut opinion = Opinion {
            node: self.node,
            score: Score::CLEAR,
            score_unqueued: Score::CLEAR,
            asked_per_s: self.rates.asked_per_s / self.weight,
            answered_per_s: self.rates.answered_per_s / self.weight,
            bytes_per_s: self.rates.bytes_per_s / self.weight,
            proven: 0,
            seen_s: f32::INFINITY,
            slow_for_s: self
                .slow_since
                .map_or(0.0, |since| now.since(since).as_secs_f32()),
            finding: None,
            finding_unqueued: None,
        };
        for bench in self.benches.iter().flatten() {
            let Some(ago) = bench.seen_ago(now) else {
                continue;
            };
            opinion.seen_s = opinion.seen_s.min(ago.as_secs_f32());
            opinion.proven = opinion.proven.saturating_add(bench.proven());
            let (score, finding) = bench.verdict(View::Whole);
            if score > opinion.score {
                (opinion.score, opinion.finding) = (score, finding);
            }
            let (score, finding) = bench.verdict(View::Unqueued);
            if score > opinion.score_unqueued {
                (opinion.score_unqueued, opinion.finding_unqueued) = (score, finding);
            }
        }
        opinion.seen_s.is_finite().then_some(opinion)
    }
}

impl Rates {
    /// It will be asked so many times as much.
    fn rise(&mut self, times: f32) {
        self.asked_per_s *= times;
        self.answered_per_s *= times;
        self.bytes_per_s *= times;
    }

    fn pass(&mut self, seconds: f32) {
        if seconds <= 0.0 {
            return;
        }
        let keep = (-seconds / RATE_TIME_S).exp();
        let follow = |rate: f32, count: f32| rate * keep + count / seconds * (1.0 - keep);
        *self = Self {
            asked_per_s: follow(self.asked_per_s, self.asked as f32),
            answered_per_s: follow(self.answered_per_s, self.answered as f32),
            bytes_per_s: follow(self.bytes_per_s, self.bytes as f32),
            ..Self::default()
        };
    }
}

impl Usual {
    /// Takes in the present level, a round after the last.
    fn follow(&mut self, now: Timestamp, level_s: f64, limits: &Limits) {
        self.level_s = Some(level_s);
        self.at = now;
        let Some(usual_s) = self.usual_s else {
            self.usual_s = Some(level_s).filter(|level| level.is_finite());
            return;
        };
        let is_unusual = level_s > (usual_s * limits.ratio).max(usual_s + limits.excess_s);
        self.shift = match is_unusual {
            true => self.shift.raised(ROUND),
            false => self.shift.lowered(ROUND),
        };
        if !level_s.is_finite() {
            return;
        }
        let time_s = match (is_unusual, level_s < usual_s) {
            (true, _) => USUAL_UP_SHIFTED_S,
            (false, true) => USUAL_DOWN_S,
            (false, false) => USUAL_UP_S,
        };
        let part = ROUND.as_secs_f64() / time_s;
        self.usual_s = Some(usual_s + (level_s - usual_s) * part);
    }
}

/// Whether these are enough to compare a node in this state with. One alone is, for a node that has no
/// keys yet: of the two it is the one that nobody needs.
fn is_judged(state: State, peers: &Field) -> bool {
    peers.len() > 1 || state == State::Shadow
}

/// Whether a node in this state is sent requests, or copies of them.
fn is_asked(state: State) -> bool {
    !matches!(state, State::Quarantined | State::Ejected | State::Drained)
}

/// Whether a node in this state is one to compare others with.
fn is_peer(state: State) -> bool {
    matches!(state, State::Serving | State::Suspect | State::Ramping)
}

#[cfg(test)]
#[path = "observer_test.rs"]
mod tests;
