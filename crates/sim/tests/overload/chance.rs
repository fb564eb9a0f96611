//! Whatever comes: crowds, limits and troubles drawn at random. No answer is another's, nothing is
//! left behind, and no end that a client has made goes unnoticed for a second.

use std::ops::Range;
use std::time::Duration;

use base::rng::Rng;
use base::{TenantId, TrafficLimits};
use sim::{
    Conduct, Cue, Group, Mix, NetworkConfig, Pace, Patience, Scenario, ServerConfig, Sources,
    Tenant,
};

use crate::harness::{run, secs, seed};

/// Runs in one test; another seed gives as many others.
const RUNS: u64 = 16;
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Draws from a generator.
struct Dice(Rng);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn secs(&mut self, range: Range<f64>) -> Duration {
        secs(range.start + (range.end - range.start) * self.0.unit_f64())
    }

    /// Between the two, small ones as likely as large ones.
    fn size(&mut self, least: f64, most: f64) -> u64 {
        (least * (most / least).powf(self.0.unit_f64())) as u64
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(3).then(|| value(self))
    }

    fn traffic(&mut self) -> TrafficLimits {
        TrafficLimits {
            ops_per_second: self.maybe(|dice| dice.size(100.0, 100_000.0)),
            bytes_in_per_second: self.maybe(|dice| dice.size(1e5, 1e8)),
            bytes_out_per_second: self.maybe(|dice| dice.size(1e5, 1e8)),
            burst: self.secs(0.0..1.0),
            weight: self.size(1.0, 10_000.0) as u32,
            connections: self.maybe(|dice| dice.size(1.0, 1e3) as u32),
            connects_per_second: self.maybe(|dice| dice.size(1.0, 1e4) as u32),
            inflight_bytes: self.maybe(|dice| dice.size(1e4, 1e8)),
            max_delay: self.secs(0.01..0.4),
            hot_keys: None,
        }
    }

    fn conduct(&mut self) -> Conduct {
        let (short, pause) = (self.secs(0.0..0.2), self.secs(0.01..0.3));
        match self.below(8) {
            0 => Conduct::Abandon(short, pause),
            1 => Conduct::Mute(pause),
            2 => Conduct::Halting(pause),
            3 => Conduct::Deaf(pause),
            4 => Conduct::Vanish(short),
            _ => Conduct::Steady,
        }
    }

    fn group(&mut self, name: &'static str) -> Group {
        let pace = match self.one_in(2) {
            true => Pace::Closed(self.secs(0.0..0.05)),
            false => Pace::Open(self.secs(0.01..0.1)),
        };
        Group {
            sources: match self.one_in(3) {
                true => Sources::One,
                false => Sources::Each,
            },
            arrive: (self.secs(0.0..0.4), self.secs(0.0..0.2)),
            leave: self.secs(0.3..1.2),
            batch: self.size(1.0, 40.0) as u16,
            mix: Mix {
                get_shared: self.below(50) as u32 + 1,
                get_own: self.below(50) as u32,
                set_own: self.below(50) as u32,
                delete_own: self.below(10) as u32,
                keys_per_get: self.size(1.0, 50.0) as u16,
            },
            conduct: self.conduct(),
            patience: match self.one_in(2) {
                true => Patience::DALLI,
                false => Patience::NONE,
            },
            ..Group::new(
                name,
                TenantId(1 + self.below(3) as u32),
                self.size(1.0, 500.0) as u32,
                pace,
            )
        }
    }

    fn cue(&mut self) -> Cue {
        match self.below(3) {
            0 => Cue::Slowness(100 + self.below(1000)),
            1 => Cue::Cut(self.below(NAMES.len() as u64) as usize),
            _ => Cue::Limit(TenantId(1 + self.below(3) as u32), self.traffic()),
        }
    }

    fn scenario(&mut self, seed: u64) -> Scenario {
        let tenants = (1..=3).map(|id| Tenant {
            traffic: self.traffic(),
            value_len: self.size(40.0, 3_000.0) as u32,
            ..Tenant::new(id)
        });
        let tenants = tenants.collect();
        Scenario {
            seed,
            tenants,
            groups: NAMES.map(|name| self.group(name)).into(),
            server: ServerConfig {
                loops: 1 + self.below(3) as usize,
                unauthenticated_max: self.size(10.0, 1_000.0) as usize,
                unauthenticated_per_source_max: self.size(2.0, 100.0) as usize,
                connects_per_second_per_source_max: self.maybe(|dice| dice.size(1.0, 1e4) as u32),
                stalled_reader_timeout: self.secs(0.1..1.0),
                stalled_writer_timeout: self.secs(0.1..1.0),
                ..ServerConfig::default()
            },
            network: NetworkConfig {
                backlog: self.size(4.0, 4096.0) as usize,
                latency_us: self.size(10.0, 20_000.0) as u32,
                client_receive_buffer_len: self.size(500.0, 1e5) as usize,
                server_send_buffer_len: self.size(2e3, 1e6) as usize,
                server_receive_buffer_len: self.size(500.0, 1e5) as usize,
                ..NetworkConfig::default()
            },
            cues: (0..3).map(|_| (self.secs(0.1..1.0), self.cue())).collect(),
            length: secs(1.2),
        }
    }
}

pub(crate) fn scenario_of(seed: u64) -> Scenario {
    Dice(Rng::new(seed)).scenario(seed)
}

#[test]
fn nothing_is_mixed_up_and_nothing_is_left() {
    let first = seed(1000);
    for seed in first..first + RUNS {
        let report = run(scenario_of(seed));
        let network = report.network;
        assert!(
            network.close_wait_oldest_ms < 1000,
            "SIM_SEED={seed}: {network:?}"
        );
    }
}
