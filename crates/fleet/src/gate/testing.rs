//! What is seen of candidates and fleets that are made up, for tests of verdicts.

use std::time::Duration;

use base::fleet::MemberId;
use base::rng::Rng;

use super::{Evidence, GateLimits, OwnFigures, Pair, PairFigures, Plan};

pub(super) const CANDIDATE: MemberId = MemberId(100);
pub(super) const LIMITS: GateLimits = GateLimits {
    round_trip_ms: 1.0,
    throughput_mbit_s: 100.0,
    resent_percent: 1.0,
    engine_us: 20.0,
    steal_percent: 5.0,
    memory_mib_s: 1000.0,
    disk_ms: 20.0,
    clock_ms: 100.0,
};

/// How a node is.
#[derive(Clone, Copy)]
pub(super) struct Nature {
    pub(super) delay_ms: f64,
    pub(super) late_share: f64,
    pub(super) mbit_s: f64,
    pub(super) resent: u32,
    pub(super) lost: f64,
    pub(super) own: OwnFigures,
    pub(super) clock_ms: f64,
}

pub(super) const WELL: Nature = Nature {
    delay_ms: 0.2,
    late_share: 0.0,
    mbit_s: 900.0,
    resent: 0,
    lost: 0.0,
    own: OwnFigures {
        engine_us: 1.0,
        steal_percent: 0.5,
        memory_mib_s: 8000.0,
        pattern_faults: Some(0),
        disk_ms: None,
    },
    clock_ms: 0.3,
};

pub(super) fn pair(rng: &mut Rng, one: &Nature, other: &Nature) -> PairFigures {
    let mut took = Vec::new();
    let mut unanswered = 0;
    for _ in 0..1000 {
        let late = rng.unit_f64() < one.late_share.max(other.late_share);
        let ms = one.delay_ms.max(other.delay_ms) * (0.5 + rng.unit_f64());
        match rng.unit_f64() < one.lost.max(other.lost) {
            true => unanswered += 1,
            false => took.push(Duration::from_secs_f64(
                (ms + if late { 60.0 } else { 0.0 }) / 1e3,
            )),
        }
    }
    let mbit_s = one.mbit_s.min(other.mbit_s) * (0.6 + 0.8 * rng.unit_f64());
    PairFigures {
        to_called_mbit_s: mbit_s,
        to_caller_mbit_s: mbit_s,
        segments: 1000,
        resent: one.resent.max(other.resent),
        ..PairFigures::default()
    }
    .with_round_trips(&took, unanswered)
}

pub(super) fn seen(rng: &mut Rng, candidate: &Nature, serving: u32) -> Evidence {
    let mut evidence = Evidence::default();
    let peers: Vec<MemberId> = (1..=serving).map(MemberId).collect();
    let nature = |node: MemberId| if node == CANDIDATE { candidate } else { &WELL };
    for round in Plan::new(CANDIDATE, &peers).rounds {
        for (caller, called) in round.pairs {
            let seen = Ok(pair(rng, nature(caller), nature(called)));
            evidence.add_pair(Pair {
                caller,
                called,
                seen,
            });
        }
    }
    for node in peers.into_iter().chain([CANDIDATE]) {
        let mut own = nature(node).own;
        own.engine_us *= 0.6 + 0.8 * rng.unit_f64();
        own.memory_mib_s *= 0.6 + 0.8 * rng.unit_f64();
        evidence.add_own(node, own);
        evidence.add_clock(node, nature(node).clock_ms);
    }
    evidence
}

/// As if `caller` had not come through to `called`.
pub(super) fn cannot_use(evidence: &mut Evidence, caller: u32, called: MemberId) {
    let seen = Err(format!("node{caller} cannot use it: connection refused"));
    let caller = MemberId(caller);
    evidence.add_pair(Pair {
        caller,
        called,
        seen,
    });
}

/// Of a fleet in which every node could use every other one, without these ways to the candidate.
pub(super) fn seen_but(serving: u32, broken: &[u32]) -> Evidence {
    let whole = seen(&mut Rng::new(1), &WELL, serving);
    let mut evidence = Evidence::default();
    for pair in whole.pairs() {
        let is_broken = pair.called == CANDIDATE && broken.contains(&pair.caller.0);
        if !is_broken {
            evidence.add_pair(pair.clone());
        }
    }
    for node in (1..=serving).map(MemberId).chain([CANDIDATE]) {
        evidence.add_own(node, WELL.own);
        evidence.add_clock(node, WELL.clock_ms);
    }
    evidence
}
