//! All requests of a fleet, a quarter of a second at a time, as each observer sees them.

use std::time::Duration;

use base::Timestamp;
use base::rng::Rng;
use fleet::judge::{ROUND, Tally};

use super::draw::{Way, about, exponential, log_uniform, normal};
use super::fault::{Fault, FaultKind};
use super::weather::{FleetWeather, NodeWeather, Spell, advance, observer_pauses};
use super::{FleetShape, START};

/// A request that takes longer is given up.
pub(super) const DEADLINE_S: f64 = 0.1;
/// What a node works on a request, in seconds, and which part of its time that is at mean load.
const WORK_S: f64 = 60e-6;
const UTILISATION: f64 = 0.22;
/// Requests that wait at a node take no longer than this to be served: it takes no more at once.
const BACKLOG_MAX_S: f64 = 0.015;
/// What a node sends at mean load, in bit a second.
const LINE_BITS: f64 = 20e6;
const REPLY_LEN: u64 = 800;
/// Requests of a round from one observer to one node at mean load, in one fleet or another.
const REQUESTS: (f64, f64) = (16.0, 64.0);

/// Windows that are alike are drawn once and used again.
const LEVELS: usize = 16;
const SPEEDS: usize = 3;
const ALIKE: usize = 96;

/// What an observer sees of a node in a round.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) tally: Tally,
    pub(super) asked: u32,
    pub(super) failed: u32,
    /// The most that failed one after another.
    pub(super) failed_in_a_row: u32,
}

#[derive(Clone, Debug)]
enum Shown {
    Alike(usize),
    Own(Box<Seen>),
}

#[derive(Clone, Debug)]
struct Node {
    weather: NodeWeather,
    speed: usize,
    /// How much it is asked with all of its keys, beside the mean node in the mean hour.
    load: f64,
    /// How many times as much work a request is for it.
    work: f64,
}

/// What a node is asked, and what of it waits there.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    load: f64,
    utilisation: f64,
    backlog_s: f64,
}

/// A fleet and its noise.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    rng: Rng,
    now: Timestamp,
    ways: Vec<Way>,
    per_round: f64,
    nodes: Vec<Node>,
    /// Of each node, with all of its keys.
    queues: Vec<Queue>,
    pauses: Vec<Spell>,
    fleet: FleetWeather,
    fault: Option<(usize, Fault, Timestamp)>,
    alike: Vec<Seen>,
    shown: Vec<Shown>,
}

impl Scene {
    pub(super) fn new(shape: &FleetShape, fault: Option<(usize, Fault, Timestamp)>) -> Self {
        let mut rng = Rng::new(shape.seed);
        let median_s = log_uniform(&mut rng, 0.00015, 0.0006);
        let sigma = 0.25 + 0.25 * rng.unit_f64();
        let ways = [0.85, 1.0, 1.2].map(|speed| Way::new(&mut rng, median_s * speed, sigma));
        let nodes = (0..shape.nodes).map(|_| Node {
            weather: NodeWeather::new(&mut rng, START),
            speed: ((1.5 + 0.6 * normal(&mut rng)).clamp(0.0, 2.9)) as usize,
            load: 1.0,
            work: 1.0,
        });
        let nodes = nodes.collect();
        let pauses = (0..shape.observers).map(|_| observer_pauses(&mut rng, START));
        let pauses = pauses.collect();
        let (least, most) = REQUESTS;
        let mut scene = Self {
            now: START,
            ways: ways.into(),
            per_round: log_uniform(&mut rng, least, most),
            nodes,
            queues: vec![Queue::default(); shape.nodes],
            pauses,
            fleet: FleetWeather::new(&mut rng, START),
            fault,
            alike: Vec::new(),
            shown: Vec::new(),
            rng,
        };
        scene.draw_alike();
        scene
    }

    fn draw_alike(&mut self) {
        for speed in 0..SPEEDS {
            for level in 0..LEVELS {
                let utilisation = (level as f64 + 0.5) / LEVELS as f64;
                for _ in 0..ALIKE {
                    let mean = self.per_round * utilisation / UTILISATION;
                    let count = about(&mut self.rng, mean);
                    let mut seen = Seen::default();
                    for _ in 0..count {
                        let way_s = self.ways[speed].draw_s(&mut self.rng) + WORK_S;
                        let queued_s = queued_s(&mut self.rng, utilisation, WORK_S);
                        seen.add(way_s, queued_s);
                    }
                    self.alike.push(seen);
                }
            }
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// What was wrong is right from now on.
    pub(super) fn mend(&mut self) {
        self.fault = None;
    }

    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Of each node, with all of its keys.
    pub(super) fn queues(&self) -> &[Queue] {
        &self.queues
    }

    pub(super) fn observers(&self) -> usize {
        self.pauses.len()
    }

    /// The next quarter of a second.
    pub(super) fn advance(&mut self) {
        let begin = self.now;
        self.now = begin + ROUND;
        self.fleet.advance(&mut self.rng, begin);
        let common = self.fleet.load(begin, START);
        for pause in &mut self.pauses {
            advance(pause, &mut self.rng, begin);
        }
        for (place, node) in self.nodes.iter_mut().enumerate() {
            node.weather.advance(&mut self.rng, begin);
            node.work = match &self.fault {
                Some((victim, fault, from)) if *victim == place && begin >= *from => fault.work,
                _ => 1.0,
            };
            node.load = common * node.weather.load(begin);
        }
        for (node, queue) in self.nodes.iter().zip(&mut self.queues) {
            queue.follow(node.load, node.work);
        }
        self.shown.clear();
        let queues = std::mem::take(&mut self.queues);
        for observer in 0..self.pauses.len() {
            for (node, queue) in queues.iter().enumerate() {
                let shown = self.show(begin, observer, node, queue);
                self.shown.push(shown);
            }
        }
        self.queues = queues;
    }

    /// What an observer saw of a node in the last round.
    pub(super) fn seen(&self, observer: usize, node: usize) -> &Seen {
        match &self.shown[observer * self.nodes.len() + node] {
            Shown::Alike(place) => &self.alike[*place],
            Shown::Own(seen) => seen,
        }
    }

    /// What it would have seen of probes beside the requests, of so many times as many as those.
    pub(super) fn seen_of_probes(&mut self, observer: usize, node: usize, part: f64) -> Seen {
        let begin = self.now - ROUND;
        let queue = self.queues[node].clone();
        let probed = Queue {
            load: queue.load * part,
            ..queue
        };
        self.draw(begin, observer, node, &probed)
    }

    /// Has nodes that have these parts of their weights been asked accordingly in the last round: the
    /// others got the rest of their keys, and so what is asked for them.
    pub(super) fn split(&self, parts: &[f64], queues: &mut [Queue]) {
        let loads = self.loads(parts);
        for ((queue, node), load) in queues.iter_mut().zip(&self.nodes).zip(loads) {
            queue.follow(load, node.work);
        }
    }

    /// What each node is asked with such a part of its weight, each.
    fn loads(&self, parts: &[f64]) -> Vec<f64> {
        let sum: f64 = parts.iter().sum();
        // Of the keys that it has with all at their full weights.
        let of_own = |part: f64| part * parts.len() as f64 / sum.max(f64::MIN_POSITIVE);
        let more = |part: f64| (of_own(part) - 1.0).max(0.0);
        let kept = |(node, part): (&Node, &f64)| node.load * of_own(*part).min(1.0);
        let pairs = || self.nodes.iter().zip(parts);
        let given: f64 = pairs()
            .map(|(node, part)| node.load - kept((node, part)))
            .sum();
        let all_more: f64 = parts.iter().map(|part| more(*part)).sum();
        let got = |part: f64| given * more(part) / all_more.max(f64::MIN_POSITIVE);
        pairs().map(|it| kept(it) + got(*it.1)).collect()
    }

    /// What an observer saw of a node in the last round where this was its queue.
    pub(super) fn seen_by(&mut self, observer: usize, node: usize, queue: &Queue) -> Seen {
        let begin = self.now - ROUND;
        match self.show(begin, observer, node, queue) {
            Shown::Alike(place) => self.alike[place].clone(),
            Shown::Own(seen) => *seen,
        }
    }

    fn show(&mut self, begin: Timestamp, observer: usize, place: usize, queue: &Queue) -> Shown {
        let node = &self.nodes[place];
        let is_bad =
            matches!(self.fault, Some((victim, _, from)) if victim == place && begin >= from);
        let is_paused = node.weather.pause.begins_before(self.now)
            || self.pauses[observer].begins_before(self.now);
        let level = (queue.utilisation * LEVELS as f64) as usize;
        if is_bad || is_paused || queue.backlog_s > 0.0 || level == 0 || level >= LEVELS {
            return Shown::Own(Box::new(self.draw(begin, observer, place, queue)));
        }
        let one = self.rng.below(ALIKE as u64) as usize;
        Shown::Alike((node.speed * LEVELS + level) * ALIKE + one)
    }

    fn draw(&mut self, begin: Timestamp, observer: usize, place: usize, queue: &Queue) -> Seen {
        let node = &self.nodes[place];
        let rng = &mut self.rng;
        let fault = self.fault.filter(|it| it.0 == place && begin >= it.2);
        let fault = fault.map(|it| it.1);
        let count = about(rng, self.per_round * queue.load);
        let mut seen = Seen::default();
        let mut run = 0;
        for _ in 0..count {
            let at = begin + ROUND.mul_f64(rng.unit_f64());
            if queue.utilisation > 1.0 && rng.unit_f64() > 1.0 / queue.utilisation {
                seen.tally.held += 1;
                continue;
            }
            let work_s = WORK_S * fault.map_or(1.0, |it| it.work);
            let mut way_s = self.ways[node.speed].draw_s(rng) + work_s;
            way_s += self.pauses[observer].wait_s(at);
            let mut queued_s = queue.backlog_s + queued_s(rng, queue.utilisation, work_s);
            let pause_s = node.weather.pause.wait_s(at);
            match node.weather.pause_is_told {
                true => queued_s += pause_s,
                false => way_s += pause_s,
            }
            way_s += fault.map_or(0.0, |it| fault_s(rng, &it, queue.load));
            match seen.add(way_s, queued_s) {
                true => run = 0,
                false => run += 1,
            }
            seen.failed_in_a_row = seen.failed_in_a_row.max(run);
        }
        seen
    }
}

impl Queue {
    /// A round in which it is asked so much.
    fn follow(&mut self, load: f64, work: f64) {
        self.load = load;
        self.utilisation = load * UTILISATION * work;
        let grown = (self.utilisation - 1.0) * ROUND.as_secs_f64();
        self.backlog_s = (self.backlog_s + grown).clamp(0.0, BACKLOG_MAX_S);
    }
}

/// How long a request waits for those before it (M/M/1).
fn queued_s(rng: &mut Rng, utilisation: f64, work_s: f64) -> f64 {
    let utilisation = utilisation.min(0.95);
    match rng.unit_f64() < utilisation {
        true => exponential(rng, work_s / (1.0 - utilisation)),
        false => 0.0,
    }
}

/// By how much a fault makes a request later.
fn fault_s(rng: &mut Rng, fault: &Fault, load: f64) -> f64 {
    let is_hit = rng.unit_f64() < fault.part;
    match fault.kind {
        FaultKind::Delay => fault.delay_s,
        FaultKind::Bandwidth => {
            let bits = 8.0 * REPLY_LEN as f64;
            let full = load * LINE_BITS / fault.line_bits;
            match full < 1.0 {
                true => exponential(rng, bits / fault.line_bits / (1.0 - full)),
                // What is ahead of it in buffers; most of it is given up before it comes.
                false => log_uniform(rng, 0.5, 2.0) * DEADLINE_S * full,
            }
        }
        FaultKind::Gone => f64::INFINITY,
        FaultKind::Bimodal | FaultKind::Lossy if is_hit => {
            let (from, to) = fault.part_s;
            from + (to - from) * rng.unit_f64()
        }
        FaultKind::Bimodal | FaultKind::Lossy | FaultKind::SlowCpu => 0.0,
    }
}

impl Seen {
    /// Adds a request; whether it was answered.
    fn add(&mut self, way_s: f64, queued_s: f64) -> bool {
        self.asked += 1;
        if way_s + queued_s > DEADLINE_S {
            self.failed += 1;
            self.tally.unanswered(1);
            return false;
        }
        let time = Duration::from_secs_f64;
        self.tally
            .answered(time(way_s + queued_s), Some(time(queued_s)), REPLY_LEN);
        true
    }
}

#[cfg(test)]
#[path = "scene_test.rs"]
mod tests;
