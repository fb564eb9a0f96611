//! Runs scenarios and checks what must hold in every one of them.

use std::time::Duration;

use sim::{Leaks, Report, Scenario};

/// A second, and parts of it.
pub(crate) fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

/// The seed asked for, or this one.
pub(crate) fn seed(usual: u64) -> u64 {
    match std::env::var("SIM_SEED") {
        Ok(seed) => seed.parse().expect("SIM_SEED is a number"),
        Err(_) => usual,
    }
}

/// Runs it; whatever was asked, no answer may be another's, and nothing may be left at the end.
pub(crate) fn run(scenario: Scenario) -> Report {
    let report = scenario.run().expect("the scenario can be set up");
    let seed = report.seed;
    assert_eq!(
        report.wrong_count, 0,
        "SIM_SEED={seed}: {:#?}",
        report.wrong
    );
    assert_eq!(report.leaks, Leaks::default(), "SIM_SEED={seed}");
    report
}
