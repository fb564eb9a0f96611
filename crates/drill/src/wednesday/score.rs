//! Whether what was seen is what was wanted.

use super::control::{harm, out_before, outage, shown};
use super::outcome::{ScenarioOutcome, Verdict};
use super::scenario::{Case, Judge, NODES, Wanted};
use super::seen::Seen;
use super::unrest::unrest;

const DETECT_MAX_MS: u64 = 2_000;
const EJECT_MAX_MS: u64 = 5_000;
const EVENT_MAX_MS: u64 = 10_000;
const BACK_MAX_MS: u64 = 120_000;
const REFUSE_MAX_MS: u64 = 60_000;
/// Of the p99, or so much more.
const P99_RATIO_MAX: f64 = 1.5;
const P99_MORE_MAX_MS: f64 = 0.5;
/// Shares of keys differ by so much by chance.
const SHARE_SLACK: f64 = 0.05;

/// What is wrong with what was seen; nothing for a pass.
pub(crate) fn faults(case: &Case, judge: Judge, seen: &Seen) -> Vec<String> {
    match judge {
        Judge::Off => outage(seen),
        Judge::Naive if case.control == Some(Judge::Naive) => harm(case, seen),
        Judge::Naive | Judge::On => missed(case, seen),
    }
}

fn missed(case: &Case, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    let others = wrongly_ejected(case, seen);
    if others > 0 {
        wrong.push(format!("taken out although well: {others}"));
    }
    if seen.since.stale > 0 {
        wrong.push(format!("{} stale values", seen.since.stale));
    }
    match case.wanted {
        Wanted::TakenOut => taken_out(seen, &mut wrong),
        Wanted::Found(time) => {
            let found = [seen.first(&seen.suspected), seen.first(&seen.ejected)];
            let found = found.into_iter().flatten().min();
            late("found", found, time.as_millis() as u64, &mut wrong);
        }
        Wanted::NobodyOut => {}
        Wanted::FleetSlow => {
            let told = seen.notices.iter().find(|it| it.0 == "fleet_slow");
            late(
                "told that all are slow",
                told.map(|it| it.1),
                EVENT_MAX_MS,
                &mut wrong,
            );
        }
        Wanted::CapHolds => cap_holds(seen, &mut wrong),
        Wanted::Back => back(seen, &mut wrong),
        Wanted::Refused => refused(seen, &mut wrong),
    }
    wrong
}

/// Why the run says nothing, if so.
pub(crate) fn disturbances(case: &Case, seen: &Seen) -> Vec<String> {
    let mut disturbed = unrest(case, &seen.before, seen.steal);
    disturbed.extend(out_before(seen));
    disturbed
}

/// Whether anything was seen that no machine excuses.
pub(crate) fn is_grave(case: &Case, seen: &Seen) -> bool {
    wrongly_ejected(case, seen) > 0 || seen.since.stale > 0
}

/// What is told of a run and its control.
pub(crate) fn outcome(
    case: &Case,
    judge: Judge,
    seen: &Seen,
    control: Option<(Judge, &Seen)>,
) -> ScenarioOutcome {
    let wrong = faults(case, judge, seen);
    let disturbed = disturbances(case, seen);
    let mut reasons = wrong.clone();
    let own = match (
        wrong.is_empty(),
        disturbed.is_empty() || is_grave(case, seen),
    ) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Fail,
        (false, false) => Verdict::Invalid,
    };
    if own != Verdict::Pass {
        reasons.extend(disturbed);
    }
    let control = control.map(|(judge, seen)| {
        let shown = shown(case, judge, seen);
        reasons.extend(shown.reasons);
        shown.verdict
    });
    let verdict = match (own, control) {
        (Verdict::Pass, Some(Verdict::Pass)) => Verdict::Fail,
        (Verdict::Pass, Some(Verdict::Invalid)) => Verdict::Invalid,
        _ => own,
    };
    let (before, after) = (seen.before.p99_ms, seen.after.p99_ms);
    ScenarioOutcome {
        name: case.scenario.to_string(),
        what: case.what,
        network: seen.stack,
        detect_ms: seen.detected(),
        eject_ms: seen.ejected.iter().map(|it| it.1).max(),
        event_ms: seen.notices.iter().map(|it| it.1).min(),
        refused_ms: seen.first(&seen.refused),
        back_ms: seen.back_ms.filter(|_| seen.is_target_out()),
        client_timeouts: seen.since.lost,
        p99_before_ms: before,
        p99_after_ms: after,
        p99_ratio_after: after / before.max(0.01),
        hit_ratio_min: seen.hit_ratio_min,
        stale: seen.since.stale,
        wrongly_ejected: wrongly_ejected(case, seen),
        verdict,
        control,
        reasons,
    }
}

fn taken_out(seen: &Seen, wrong: &mut Vec<String>) {
    late("suspected", seen.detected(), DETECT_MAX_MS, wrong);
    late("taken out", seen.first(&seen.ejected), EJECT_MAX_MS, wrong);
    if seen.since.lost > 0 {
        wrong.push(format!("{} timeouts of clients", seen.since.lost));
    }
    let (before, after) = (seen.before.p99_ms, seen.after.p99_ms);
    if after > (before * P99_RATIO_MAX).max(before + P99_MORE_MAX_MS) {
        wrong.push(format!("p99 {after:.1} ms after {before:.1} ms"));
    }
    let share = seen.targets.len() as f64 / NODES as f64;
    if seen.hit_ratio_min < 1.0 - share - SHARE_SLACK {
        let least = seen.hit_ratio_min;
        wrong.push(format!(
            "a hit ratio of {least:.2}, and the share is {share:.2}"
        ));
    }
}

/// Who was never out cannot be back.
fn back(seen: &Seen, wrong: &mut Vec<String>) {
    match seen.is_target_out() {
        true => late("back", seen.back_ms, BACK_MAX_MS, wrong),
        false => wrong.push("not taken out before the fault was mended".to_owned()),
    }
}

fn refused(seen: &Seen, wrong: &mut Vec<String>) {
    late("refused", seen.first(&seen.refused), REFUSE_MAX_MS, wrong);
    let served = seen.targets.iter().filter(|it| seen.served.contains(*it));
    wrong.extend(served.map(|name| format!("{name} was given keys")));
    if seen.since.lost > 0 {
        wrong.push(format!("{} timeouts of clients", seen.since.lost));
    }
}

fn cap_holds(seen: &Seen, wrong: &mut Vec<String>) {
    if seen.out_max > 1 {
        wrong.push(format!("{} nodes out at once", seen.out_max));
    }
    let told = seen.notices.iter().find(|it| it.0 == "cap_holds");
    match told {
        None => wrong.push("no event tells that more should go than may".to_owned()),
        Some((_, _, members)) if seen.targets.iter().any(|it| !members.contains(it)) => {
            wrong.push(format!("the event names {} alone", members.join(", ")));
        }
        Some(_) => {}
    }
}

fn wrongly_ejected(case: &Case, seen: &Seen) -> usize {
    let is_bad = |name: &String| match case.wanted {
        // Nobody is to go then, bad or not.
        Wanted::NobodyOut | Wanted::FleetSlow => false,
        _ => seen.targets.contains(name),
    };
    seen.ejected
        .iter()
        .filter(|(name, _)| !is_bad(name))
        .count()
}

fn late(what: &str, time_ms: Option<u64>, most_ms: u64, wrong: &mut Vec<String>) {
    match time_ms {
        None => wrong.push(format!("not {what}")),
        Some(time_ms) if time_ms > most_ms => {
            wrong.push(format!("{what} after {time_ms} ms, {most_ms} at most"));
        }
        Some(_) => {}
    }
}

#[cfg(test)]
#[path = "score_test.rs"]
mod tests;
