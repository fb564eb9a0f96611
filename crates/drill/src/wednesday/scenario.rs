//! What is done to a fleet, and what must come of it.

use std::time::Duration;

use crate::proxy::{BadMoments, Faults};

/// Nodes of a fleet.
pub(crate) const NODES: usize = 6;
/// Gateways of a fleet.
pub(crate) const GATEWAYS: usize = 2;

/// Who says which nodes are slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// As it should be.
    On,
    /// A rule that is too simple.
    Naive,
    /// Nobody, and requests to nodes have no deadline worth the name.
    Off,
}

/// What happens to a fleet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The ways to these nodes, by their places, are bad.
    Ways(Vec<usize>, Faults),
    /// This gateway runs a part of the time only.
    SlowGateway(usize),
    /// One key is asked for far more than all others together.
    HotKey,
    /// This node is killed.
    Killed(usize),
    /// This node stands still.
    Hung(usize),
    /// The last node comes while the others serve, and the way to it is bad.
    Joins(Faults),
}

/// What is to come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The nodes are taken out within the bounds, and clients notice little.
    TakenOut,
    /// The node is found within this time at least.
    Found(Duration),
    /// Nobody is taken out.
    NobodyOut,
    /// Nobody is taken out, and one event tells that all are slow.
    FleetSlow,
    /// As many are taken out as may be, and one event names all.
    CapHolds,
    /// The node is taken out, and is back after the fault has gone.
    Back,
    /// The node that comes is refused, and is never given a key.
    Refused,
}

/// One thing that is done, with a name for people.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) scenario: char,
    pub(crate) what: &'static str,
    pub(crate) fault: Fault,
    pub(crate) wanted: Wanted,
    /// With whom it must show what goes wrong otherwise; none where that shows nothing.
    pub(crate) control: Option<Judge>,
    /// How long is waited for what is wanted.
    pub(crate) patience: Duration,
    /// It is run in the quick form.
    pub(crate) is_quick: bool,
}

/// All scenarios, and what each is.
pub const SCENARIOS: [(char, &str); 9] = [
    ('a', "a node with a slow network is added"),
    ('b', "a serving node turns slow"),
    ('c', "15 % of a node's requests are late"),
    ('d', "all nodes are slow"),
    ('e', "a gateway is slow"),
    ('f', "a node is busy, not slow"),
    ('g', "a node is killed, hangs, or is cut off"),
    ('h', "a node that was taken out recovers"),
    ('i', "two of six nodes are slow"),
];

/// The letters of those that the quick form has.
pub fn quick_scenarios() -> Vec<char> {
    let quick = cases().into_iter().filter(|case| case.is_quick);
    let mut letters: Vec<char> = quick.map(|case| case.scenario).collect();
    letters.sort_unstable();
    letters.dedup();
    letters
}

const TARGET: usize = 2;
const NARROW_BITS_PER_S: u64 = 2_000_000;

impl Fault {
    /// The nodes that are bad.
    pub(crate) fn targets(&self) -> Vec<usize> {
        match self {
            Self::Ways(nodes, _) => nodes.clone(),
            Self::Killed(node) | Self::Hung(node) => vec![*node],
            Self::Joins(_) => vec![NODES - 1],
            Self::SlowGateway(_) | Self::HotKey => Vec::new(),
        }
    }

    /// What is bad about the ways to nodes, if that is what is done.
    pub(crate) fn of_ways(&self) -> Option<&Faults> {
        match self {
            Self::Ways(_, faults) | Self::Joins(faults) => Some(faults),
            Self::SlowGateway(_) | Self::HotKey | Self::Killed(_) | Self::Hung(_) => None,
        }
    }

    /// Bytes of clients' values. A new node's part of the keys must be more than a narrow way carries.
    pub(crate) fn value_len(&self) -> usize {
        match self {
            Self::Joins(_) => 1000,
            _ => 400,
        }
    }

    /// Nodes that are there before anything is done.
    pub(crate) fn nodes_before(&self) -> usize {
        match self {
            Self::Joins(_) => NODES - 1,
            _ => NODES,
        }
    }
}

fn later() -> Faults {
    Faults {
        reply_delay: Duration::from_millis(50),
        ..Faults::default()
    }
}

fn case(scenario: char, what: &'static str, fault: Fault, wanted: Wanted) -> Case {
    let control = match wanted {
        Wanted::TakenOut | Wanted::Found(_) | Wanted::Refused => Some(Judge::Off),
        Wanted::NobodyOut | Wanted::FleetSlow | Wanted::CapHolds => Some(Judge::Naive),
        Wanted::Back => None,
    };
    let patience = match wanted {
        Wanted::TakenOut => Duration::from_secs(12),
        Wanted::Found(time) => time,
        Wanted::NobodyOut => Duration::from_secs(10),
        Wanted::FleetSlow => Duration::from_secs(10),
        Wanted::CapHolds => Duration::from_secs(15),
        Wanted::Back => Duration::from_secs(130),
        Wanted::Refused => Duration::from_secs(60),
    };
    Case {
        scenario,
        what,
        fault,
        wanted,
        control,
        patience,
        is_quick: false,
    }
}

/// What is done in each scenario, in the order in which it is best done: who leaves a fleet as it
/// was comes first, and who needs the same network comes after one another.
pub(crate) fn cases() -> Vec<Case> {
    let one = vec![TARGET];
    let narrow = Faults {
        bits_per_s: Some(NARROW_BITS_PER_S),
        ..Faults::default()
    };
    let bimodal = Faults {
        bad_moments: Some(BadMoments {
            share: 0.15,
            length: Duration::from_millis(20),
            delay: Duration::from_millis(5)..Duration::from_millis(15),
        }),
        ..Faults::default()
    };
    let cut_off = Faults {
        is_stalled: true,
        ..Faults::default()
    };
    let all = (0..NODES).collect();
    let found = Wanted::Found(Duration::from_secs(30));
    let mut cases = vec![
        case('f', "a hot key", Fault::HotKey, Wanted::NobodyOut),
        case(
            'd',
            "each reply of all nodes 50 ms later",
            Fault::Ways(all, later()),
            Wanted::FleetSlow,
        ),
        case(
            'b',
            "each reply 50 ms later",
            Fault::Ways(one.clone(), later()),
            Wanted::TakenOut,
        ),
        case(
            'e',
            "a gateway runs a third of the time",
            Fault::SlowGateway(1),
            Wanted::NobodyOut,
        ),
        case(
            'c',
            "15 % of the time replies are 5 to 15 ms later",
            Fault::Ways(one.clone(), bimodal),
            found,
        ),
        case(
            'b',
            "2 Mbit/s",
            Fault::Ways(one.clone(), narrow.clone()),
            Wanted::TakenOut,
        ),
        case('g', "killed", Fault::Killed(TARGET), Wanted::TakenOut),
        case('g', "hung", Fault::Hung(TARGET), Wanted::TakenOut),
        case(
            'g',
            "cut off",
            Fault::Ways(one.clone(), cut_off),
            Wanted::TakenOut,
        ),
        case(
            'h',
            "each reply 50 ms later, then no more",
            Fault::Ways(one, later()),
            Wanted::Back,
        ),
        case(
            'i',
            "each reply of two nodes 50 ms later",
            Fault::Ways(vec![1, 4], later()),
            Wanted::CapHolds,
        ),
        case(
            'a',
            "mc6 is added, with 2 Mbit/s",
            Fault::Joins(narrow),
            Wanted::Refused,
        ),
    ];
    for case in &mut cases {
        // A connection that is refused costs nobody anything: that is no outage.
        if case.fault == Fault::Killed(TARGET) {
            case.control = None;
        }
    }
    let last = cases.len() - 1;
    for (place, case) in cases.iter_mut().enumerate() {
        case.is_quick = place < 3 || place == last;
    }
    cases
}

#[cfg(test)]
#[path = "scenario_test.rs"]
mod tests;
