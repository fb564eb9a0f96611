//! What goes wrong with a node, and how badly.

use base::rng::Rng;

use super::draw::log_uniform;

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Every reply is late.
    Delay,
    /// The way to the node carries little.
    Bandwidth,
    /// Some of its requests take several milliseconds, the others do not.
    Bimodal,
    /// Some of its requests are lost on the way.
    Lossy,
    /// What takes others microseconds takes it many times as long.
    SlowCpu,
    /// It says nothing: killed, hung, or cut off.
    Gone,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Delay,
        Self::Bandwidth,
        Self::Bimodal,
        Self::Lossy,
        Self::SlowCpu,
        Self::Gone,
    ];

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Bandwidth => "bandwidth",
            Self::Bimodal => "bimodal",
            Self::Lossy => "lossy",
            Self::SlowCpu => "slow_cpu",
            Self::Gone => "gone",
        }
    }
}

/// Which faults are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intensity {
    /// Those that the rules were made with.
    Known,
    /// Those that they were not.
    HeldOut,
}

/// A fault of one node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// How much later every reply comes, in seconds.
    pub(super) delay_s: f64,
    /// What its line carries, in bit a second.
    pub(super) line_bits: f64,
    /// Which part of the requests is hit, and between which times, in seconds.
    pub(super) part: f64,
    pub(super) part_s: (f64, f64),
    /// How many times as long a request takes it.
    pub(super) work: f64,
}

impl Fault {
    /// One of this kind.
    pub fn draw(rng: &mut Rng, kind: FaultKind, intensity: Intensity) -> Self {
        let mut fault = Self {
            kind,
            delay_s: 0.0,
            line_bits: f64::INFINITY,
            part: 0.0,
            part_s: (0.0, 0.0),
            work: 1.0,
        };
        let known = intensity == Intensity::Known;
        let mut pick = |of: f64, from: f64, to: f64| match known {
            true => of,
            false => log_uniform(rng, from, to),
        };
        match kind {
            FaultKind::Delay => fault.delay_s = pick(0.05, 0.002, 0.2),
            FaultKind::Bandwidth => fault.line_bits = pick(2e6, 0.5e6, 8e6),
            FaultKind::Bimodal => {
                fault.part = pick(0.15, 0.10, 0.25);
                fault.part_s = (pick(0.005, 0.004, 0.007), pick(0.015, 0.010, 0.025));
            }
            FaultKind::Lossy => {
                fault.part = pick(0.2, 0.10, 0.5);
                fault.part_s = (0.2, 0.4);
            }
            FaultKind::SlowCpu => fault.work = pick(20.0, 10.0, 50.0),
            FaultKind::Gone => fault.part = 1.0,
        }
        fault
    }
}
