//! Runs scenarios and checks what must hold in every one of them.

use std::ops::Range;
use std::time::Duration;

use base::TenantId;
use gateway::ConnectionFigures;
use sim::{Group, Leaks, Mix, Pace, Report, Scenario, Summary};

/// The names of the well-behaved tenants' groups; their tenants are 1, 2 and 3.
pub(crate) const VICTIMS: [&str; 3] = ["victim 1", "victim 2", "victim 3"];
/// The tenant that makes trouble.
pub(crate) const AGGRESSOR: TenantId = TenantId(4);

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

/// Three tenants of ten connections each that ask for a little of everything, each for 5 % of what
/// one core can do.
pub(crate) fn victims() -> Vec<Group> {
    let pace = Pace::Open(Duration::from_micros(800));
    let names = VICTIMS.into_iter().zip(1..);
    names
        .map(|(name, tenant)| Group {
            mix: Mix::MIXED,
            ..Group::new(name, TenantId(tenant), 10, pace)
        })
        .collect()
}

/// Runs it; whatever was asked, no answer may be another's, and nothing may be left at the end.
pub(crate) fn run(scenario: Scenario) -> Report {
    let report = scenario.run().expect("the scenario can be set up");
    let seed = report.seed;
    println!("SIM_SEED={seed}: {} events", report.events);
    assert_eq!(
        report.wrong_count, 0,
        "SIM_SEED={seed}: {:#?}",
        report.wrong
    );
    assert_eq!(report.leaks, Leaks::default(), "SIM_SEED={seed}");
    report
}

/// What a group saw within a span of seconds.
pub(crate) fn seen(report: &Report, group: &str, span: Range<f64>) -> Summary {
    let timeline = report.group(group).expect("there is such a group");
    timeline.between(secs(span.start), secs(span.end))
}

/// The victims noticed nothing: no failure of any kind within `during`, and 99 of 100 replies came
/// no more than `p99_more` later than within `before`.
pub(crate) fn assert_unharmed(
    report: &Report,
    before: Range<f64>,
    during: Range<f64>,
    p99_more: Duration,
) {
    for name in VICTIMS {
        let (was, is) = (
            seen(report, name, before.clone()),
            seen(report, name, during.clone()),
        );
        let failures = is.tally.timeouts
            + is.tally.errors
            + is.tally.failed
            + is.tally.refused
            + is.tally.connect_failures
            + is.tally.dropped;
        let told = format!("SIM_SEED={}, {name}: {was:?}, then {is:?}", report.seed);
        assert_eq!(failures, 0, "{told}");
        assert!(is.p99 <= was.p99 + p99_more, "{told}");
        assert!(is.rate() > 0.98 * was.rate(), "{told}");
    }
    for tenant in 1..=3 {
        let figures = last_figures(report, TenantId(tenant));
        let told = format!("SIM_SEED={}, tenant {tenant}: {figures:?}", report.seed);
        assert_eq!(figures.reads_refused + figures.writes_refused, 0, "{told}");
        assert_eq!(figures.pauses + figures.shed, 0, "{told}");
    }
}

/// What the shards had counted for a tenant in the last full second.
pub(crate) fn last_figures(report: &Report, tenant: TenantId) -> ConnectionFigures {
    let found = report.figures.iter().find(|(of, _)| *of == tenant);
    let last = found.and_then(|(_, figures)| figures.last());
    *last.expect("there is such a tenant")
}

/// How the state of a group after the trouble compares with that before: whether as much is answered,
/// and as soon.
pub(crate) fn is_recovered(
    report: &Report,
    group: &str,
    before: Range<f64>,
    after: Range<f64>,
) -> Result<(), String> {
    let (was, is) = (seen(report, group, before), seen(report, group, after));
    let slack = Duration::from_micros(250);
    if is.rate() >= 0.95 * was.rate() && is.p99 <= was.p99.mul_f64(1.5) + slack {
        return Ok(());
    }
    let seed = report.seed;
    Err(format!("SIM_SEED={seed}, {group}: {was:?}, then {is:?}"))
}
