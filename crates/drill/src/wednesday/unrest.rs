//! Whether a machine leaves a drill alone, so that what is seen is what was done.

use super::samples::Stretch;
use super::scenario::{Case, Wanted};

/// What a machine that leaves the drill alone does not show.
const STEAL_MAX: f64 = 0.05;
const LAG_MAX_MS: f64 = 10.0;
const P99_BEFORE_MAX_MS: f64 = 5.0;
/// Ten times as much is what a node shows of which some replies are up to 15 ms late: half of all requests
/// ask it, 15 % of those are late, and a seventh of them is the highest hundredth of all: from 13.6 ms on.
const P99_BEFORE_MAX_OF_SOME_MS: f64 = 1.3;
/// Fewer requests say nothing.
const REQUESTS_MIN: usize = 200;

/// What keeps a fleet to which nothing is done from showing what is usual.
pub(crate) fn unrest(case: &Case, before: &Stretch, steal: f64) -> Vec<String> {
    let mut disturbed = Vec::new();
    if steal > STEAL_MAX {
        let steal = steal * 100.0;
        disturbed.push(format!("the host took {steal:.0} % of the machine away"));
    }
    if before.lag_p99_ms > LAG_MAX_MS {
        let lag = before.lag_p99_ms;
        disturbed.push(format!("clients were {lag:.1} ms late by themselves"));
    }
    let p99_max_ms = match case.wanted {
        Wanted::Found(_) => P99_BEFORE_MAX_OF_SOME_MS,
        _ => P99_BEFORE_MAX_MS,
    };
    if before.p99_ms > p99_max_ms {
        let p99 = before.p99_ms;
        disturbed.push(format!("the p99 was {p99:.1} ms before anything was done"));
    }
    if before.requests < REQUESTS_MIN || before.lost > 0 {
        let (requests, lost) = (before.requests, before.lost);
        disturbed.push(format!(
            "{requests} requests, {lost} lost, before anything was done"
        ));
    }
    disturbed
}
